package report

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchproc"

	"bayesbench/internal/nearest"
	"bayesbench/results"
	"bayesbench/results/stats"
)

// A Query says what a table shows. The zero Query is the table of methods and headline metrics at each method's
// largest number of posterior samples.
type Query struct {
	Filter   string   // benchproc filter, such as `/method:sparse-vd OR seed:0`; "" keeps all
	Tables   string   // projection: one table per value; "" is DefaultTables
	Rows     string   // projection; "" is /method and every further name key that varies
	Cols     string   // projection; "" makes each metric a column, otherwise each metric is a table of its own
	Metrics  []string // units in the order of the columns; nil is Headline; "all" is every unit
	Baseline string   // the row compared with: its label, or the value of its first key; "" compares nothing
	Alpha    float64  // significance level; 0 is 0.05

	Spread stats.Spread // what stands behind a ±; "" is stats.SD
}

// DefaultTables separates what must not be averaged.
const DefaultTables = ".name,/model,/backend,/ood"

// Headline are the metrics of a table that names none, as far as there are values in it.
var Headline = []string{"error", "nll", "ece15-lorc", "brier_sum", "sparsity", "compression", "train-samples/s", "ood-auroc-entropy", "ood-fpr95-entropy"}

// detailKeys mark records of shifted test data, of the validation split, of one layer or of one parameter's gradient. They
// stay out of a table that does not mention them.
var detailKeys = []string{"split", "corruption", "severity", "attack", "epsilon", "layer", "estimator", "parameter"}

// predictKey tells apart the predictors of one job, such as posterior samples and pruned posterior means. Records
// without it hold for all of them.
const predictKey = "predict"

// A Table is one table, ready for any format.
type Table struct {
	Title    string
	RowHeads []string // what the row labels are, such as method, samples
	Columns  []Column
	Rows     []Row
	Baseline string // label of the row that the others are compared with, "" if none
	Alpha    float64
	Spread   stats.Spread // what stands behind a ±
	Notes    []string

	tooFewSeeds bool // no comparison could have been significant
}

// A Column is one metric, or one value of the column projection.
type Column struct {
	Head   string
	Unit   string
	Better results.Better
}

// A Row is one method, or one value of the row projection.
type Row struct {
	Labels []string
	Cells  []Cell
}

// Label is the row's labels in one.
func (r Row) Label() string { return strings.TrimSpace(strings.Join(r.Labels, " ")) }

// A Cell is one metric of one row over the seeds.
type Cell struct {
	Summary
	*Comparison // with the baseline row; nil in that row, without a baseline, or where nothing can be paired
}

// Build makes the tables that the query asks for. A query that names no rows, columns or metrics gets the sparsity of
// each layer as well, where there is any.
func Build(set results.Set, q Query) ([]Table, error) {
	set.Records = amongOthers(set.Records)
	set, err := withDEE(set)
	if err != nil {
		return nil, err
	}
	tables, err := tabulate(set, q)
	if err != nil || q.Rows != "" || q.Cols != "" || len(q.Metrics) > 0 {
		return tables, err
	}
	layers, err := buildLayers(set, q)
	return append(tables, layers...), err
}

// buildLayers makes the tables of sparsity by layer: a row for each layer, in the network's order, and a column for
// each method that prunes.
func buildLayers(set results.Set, q Query) ([]Table, error) {
	q.Tables = cmp.Or(q.Tables, DefaultTables)
	methods := defaultRows(withoutDetail(set.Records, q), q)
	set.Records = slices.DeleteFunc(slices.Clone(set.Records), func(r results.Record) bool {
		_, has := r.Value("sparsity")
		return !has || sweepValue(&r, "layer") == ""
	})
	// What only methods without layers vary is no key here.
	all := known(set.Records)
	methods = withoutKeys(methods, func(key string) bool { return key == "/"+predictKey || !slices.Contains(all, key) })
	// What the filter leaves is seen before tabulate, to which an empty result is a mistake of the user's.
	keep, err := newFilter(q.Filter)
	if err != nil {
		return nil, err
	}
	for i := range set.Records {
		if kept, err := keep(&set.Records[i]); err != nil {
			return nil, err
		} else if kept {
			q.Rows, q.Cols, q.Metrics, q.Baseline = "/layer", methods, []string{"sparsity"}, ""
			tables, err := tabulate(set, q)
			for _, t := range tables {
				for j := range t.Columns {
					t.Columns[j].Better = results.Neither // no layer is better than another
				}
			}
			return tables, err
		}
	}
	return nil, nil
}

// withoutKeys drops keys from a projection, such as that of the predictors: all of a job have the same weights.
func withoutKeys(projection string, drop func(key string) bool) string {
	return strings.Join(slices.DeleteFunc(strings.Split(projection, ","), drop), ",")
}

func tabulate(set results.Set, q Query) ([]Table, error) {
	if q.Alpha == 0 {
		q.Alpha = 0.05
	}
	q = q.withDefaults(set.Records)
	if strings.Contains(q.Tables+q.Rows+q.Cols, "/"+predictKey) {
		set.Records = overPredictors(set.Records)
	}
	g, err := group(set, q)
	if err != nil {
		return nil, err
	}
	if len(g.values) == 0 {
		return nil, fmt.Errorf("no results match%s", noMatch(set, q))
	}

	var tables []Table
	for _, key := range g.sorted(func(c cellKey) benchproc.Key { return c.table }, nil) {
		t := g.table(key, q)
		if err := t.compare(g, key, q); err != nil {
			return nil, err
		}
		tables = append(tables, t.Table)
	}
	return tables, nil
}

// withDefaults fills in the projections.
func (q Query) withDefaults(records []results.Record) Query {
	q.Tables = cmp.Or(q.Tables, DefaultTables)
	if q.Rows == "" {
		q.Rows = defaultRows(withoutDetail(records, q), q)
	}
	return q
}

func noMatch(set results.Set, q Query) string {
	if len(set.Records) == 0 {
		return ": there are none"
	}
	if q.Filter != "" {
		text := fmt.Sprintf(" filter %q", q.Filter)
		for _, m := range filterKey.FindAllStringSubmatch(q.Filter, -1) {
			if all := known(set.Records); !slices.Contains(all, m[1]) {
				text += fmt.Sprintf(": none has the key %q%s", m[1], meant(m[1], all))
			}
		}
		return text
	}
	return " the projections"
}

// filterKey finds the keys of a filter expression, for messages.
var filterKey = regexp.MustCompile(`(?:^|[\s(-])([/.]?[\w.-]+):`)

// A cellKey is a place in a table. The column is the unit where q.Cols is empty.
type cellKey struct {
	table, row, col benchproc.Key
	unit            string
}

// A sample is one value of a cell. Rest is what no projection names; within a cell it should not vary.
type sample struct {
	seed  string
	rest  benchproc.Key
	value float64
}

// grouped holds the samples of each cell.
type grouped struct {
	units   results.Units
	metrics []string // units that occur, in column order
	values  map[cellKey][]sample
	samples map[cellKey]int // K of the values, the largest there is unless K is projected; 0 if they do not depend on K
	keyed   bool            // K stands in a projection
	byUnit  bool            // columns are metrics
}

func group(set results.Set, q Query) (*grouped, error) {
	q = q.withDefaults(set.Records)
	if len(set.Records) > 0 {
		for _, projection := range []string{q.Rows, q.Cols} {
			if err := checkKeys(set.Records, projection); err != nil {
				return nil, err
			}
		}
	}
	records := withoutDetail(set.Records, q)
	filter, err := benchproc.NewFilter(cmp.Or(q.Filter, "*"))
	if err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	var parser benchproc.ProjectionParser
	var parsed [4]*benchproc.Projection
	for i, text := range []string{q.Tables, q.Rows, q.Cols, "seed"} {
		if parsed[i], err = parser.Parse(text, filter); err != nil {
			return nil, fmt.Errorf("projection %q: %w", text, err)
		}
	}
	residue := parser.Residue()

	g := &grouped{
		units: set.Units, values: map[cellKey][]sample{}, samples: map[cellKey]int{},
		keyed:  strings.Contains(q.Tables+q.Rows+q.Cols, "/samples"),
		byUnit: q.Cols == "",
	}
	for i := range records {
		r := &records[i]
		res := r.Result()
		if keep, err := filter.Apply(res); err != nil {
			return nil, fmt.Errorf("filter: %w", err)
		} else if !keep {
			continue
		}
		place := cellKey{table: parsed[0].Project(res), row: parsed[1].Project(res), col: parsed[2].Project(res)}
		rest := residue.Project(withoutSamples(r).Result())
		for _, v := range res.Values {
			place.unit = v.Unit
			if !g.keyed && r.Samples < g.samples[place] {
				continue
			}
			if !g.keyed && r.Samples > g.samples[place] {
				g.values[place] = nil
			}
			g.samples[place] = r.Samples
			if err := g.add(place, sample{r.Seed(), rest, v.Value}); err != nil {
				return nil, fmt.Errorf("%s: %w", r.Name(), err)
			}
		}
	}
	return g, g.chooseMetrics(q)
}

// add adds a sample, unless it is there already, as when two files hold the same job.
func (g *grouped) add(place cellKey, s sample) error {
	for _, have := range g.values[place] {
		if have.seed == s.seed && have.rest == s.rest {
			if have.value != s.value {
				return fmt.Errorf("%s stands twice for seed %s: %v and %v", place.unit, s.seed, have.value, s.value)
			}
			return nil
		}
	}
	g.values[place] = append(g.values[place], s)
	return nil
}

// bySeed returns the values of a cell by seed. If the cell mixes settings, each setting counts as a seed of its own,
// and the table has a warning.
func (g *grouped) bySeed(place cellKey) map[string]float64 {
	samples, values := g.values[place], map[string]float64{}
	for _, s := range samples {
		id := s.seed
		if slices.ContainsFunc(samples, func(o sample) bool { return o.rest != s.rest }) {
			id += " " + s.rest.String()
		}
		values[id] = s.value
	}
	return values
}

// mixed names the fields in which the samples of a cell differ though they should not.
func (g *grouped) mixed(place cellKey) []string {
	var keys []benchproc.Key
	for _, s := range g.values[place] {
		keys = append(keys, s.rest)
	}
	var names []string
	for _, field := range benchproc.NonSingularFields(keys) {
		names = append(names, field.Name)
	}
	return names
}

// newFilter returns a filter expression as a function of whole records.
func newFilter(expression string) (func(*results.Record) (bool, error), error) {
	filter, err := benchproc.NewFilter(cmp.Or(expression, "*"))
	if err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	return func(r *results.Record) (bool, error) { return filter.Apply(r.Result()) }, nil
}

// withoutDetail drops records of shifted test data and of single layers unless the query mentions them.
func withoutDetail(records []results.Record, q Query) []results.Record {
	all := q.Filter + q.Tables + q.Rows + q.Cols
	return slices.DeleteFunc(slices.Clone(records), func(r results.Record) bool {
		for _, key := range detailKeys {
			if !strings.Contains(all, "/"+key) && sweepValue(&r, key) != "" {
				return true
			}
		}
		return false
	})
}

func sweepValue(r *results.Record, key string) string {
	for _, p := range r.Sweep {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}

// setting names the job a record belongs to: its name without K, predictor and details, and its seed.
func setting(r *results.Record) string {
	c := withoutSamples(r)
	c.Sweep = slices.DeleteFunc(slices.Clone(c.Sweep), func(p results.Pair) bool {
		return p.Key == predictKey || slices.Contains(detailKeys, p.Key)
	})
	return fmt.Sprint(c.Name(), c.Seed())
}

// overPredictors repeats each record without a predictor for every predictor of its job, so that training speed or
// sparsity stand in each of their rows.
func overPredictors(records []results.Record) []results.Record {
	predictors := map[string][]string{}
	for i := range records {
		key, name := setting(&records[i]), sweepValue(&records[i], predictKey)
		if name != "" && !slices.Contains(predictors[key], name) {
			predictors[key] = append(predictors[key], name)
		}
	}
	var all []results.Record
	for i := range records {
		r := &records[i]
		names := predictors[setting(r)]
		if sweepValue(r, predictKey) != "" || len(names) == 0 {
			all = append(all, *r)
			continue
		}
		for _, name := range names {
			c := *r
			c.Sweep = append(slices.Clone(r.Sweep), results.Pair{Key: predictKey, Value: name})
			all = append(all, c)
		}
	}
	return all
}

// defaultRows names /method and every further name key that tells rows apart.
func defaultRows(records []results.Record, q Query) string {
	taken := q.Tables + "," + q.Cols + ","
	rows := ""
	if !strings.Contains(taken, "/method,") {
		rows = "/method"
	}
	var order []string
	for i := range records {
		for _, p := range records[i].Sweep {
			if !slices.Contains(order, p.Key) {
				order = append(order, p.Key)
			}
		}
	}
	for _, key := range order {
		if !strings.Contains(taken, "/"+key+",") && varies(records, key) {
			rows += ",/" + key
		}
	}
	return cmp.Or(strings.TrimPrefix(rows, ","), "/model")
}

// varies reports whether a name key has more than one value, or is missing in some records. The predictor only counts
// where one job has several.
func varies(records []results.Record, key string) bool {
	values := map[string]string{}
	for i := range records {
		group, value := "", sweepValue(&records[i], key)
		if key == predictKey {
			if value == "" {
				continue
			}
			group = setting(&records[i])
		}
		if have, ok := values[group]; ok && have != value {
			return true
		}
		values[group] = value
	}
	return false
}

func withoutSamples(r *results.Record) *results.Record {
	c := *r
	c.Samples = 0
	return &c
}

// chooseMetrics sets the units that are shown.
func (g *grouped) chooseMetrics(q Query) error {
	present := map[string]bool{}
	for place := range g.values {
		present[place.unit] = true
	}
	names := make([]string, 0, len(present))
	for unit := range present {
		names = append(names, unit)
	}
	slices.Sort(names)

	switch {
	case len(q.Metrics) == 1 && q.Metrics[0] == "all":
		g.metrics = names
	case len(q.Metrics) > 0:
		for _, unit := range q.Metrics {
			if !present[unit] && len(present) > 0 {
				return fmt.Errorf("no values of metric %q%s", unit, meant(unit, names))
			}
		}
		g.metrics = q.Metrics
	default:
		g.metrics = slices.DeleteFunc(slices.Clone(Headline), func(u string) bool { return !present[u] })
		if len(g.metrics) == 0 {
			g.metrics = names
		}
	}
	return nil
}

// meant names the closest of the known names, for error messages.
func meant(name string, known []string) string {
	if len(known) == 0 {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", nearest.Name(name, known))
}

// sorted returns the distinct keys that pick gives for the cells which in accepts (all if it is nil).
func (g *grouped) sorted(pick func(cellKey) benchproc.Key, in func(cellKey) bool) []benchproc.Key {
	seen := map[benchproc.Key]bool{}
	var keys []benchproc.Key
	for place := range g.values {
		if (in == nil || in(place)) && slices.Contains(g.metrics, place.unit) && !seen[pick(place)] {
			seen[pick(place)] = true
			keys = append(keys, pick(place))
		}
	}
	benchproc.SortKeys(keys)
	return keys
}

// byNumber sorts keys that are all numbers, such as K or a severity, of which methods that have more than others would
// otherwise leave the last ones out of order.
func byNumber(keys []benchproc.Key) {
	numbers := map[benchproc.Key]float64{}
	for _, k := range keys {
		v, err := strconv.ParseFloat(label(k), 64)
		if err != nil {
			return
		}
		numbers[k] = v
	}
	slices.SortFunc(keys, func(a, b benchproc.Key) int { return cmp.Compare(numbers[a], numbers[b]) })
}

// known are the keys that projections and filters can name: those of the records, and benchproc's own.
func known(records []results.Record) []string {
	keys := []string{".name", ".fullname", ".config", ".unit", ".file", "/samples"}
	add := func(key string) {
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	for i := range records {
		for _, p := range records[i].NameKeys() {
			add("/" + p.Key)
		}
		for _, p := range records[i].Config {
			add(p.Key)
		}
	}
	return keys
}

// checkKeys refuses a projection by a key that no record has, which would make one nameless row of everything.
func checkKeys(records []results.Record, projection string) error {
	all := known(records)
	for _, part := range strings.Split(projection, ",") {
		key, _, _ := strings.Cut(strings.TrimSpace(part), "@")
		if key != "" && !strings.ContainsAny(key, "\" ") && !slices.Contains(all, key) {
			return fmt.Errorf("no result has the key %q%s", key, meant(key, all))
		}
	}
	return nil
}

// A placed table knows which cell of the groups each of its cells is.
type placed struct {
	Table
	rows  []benchproc.Key
	heads []cellKey // col and unit of each column
}

func (g *grouped) table(key benchproc.Key, q Query) *placed {
	inTable := func(c cellKey) bool { return c.table == key }
	t := &placed{Table: Table{Title: tableTitle(key), Alpha: q.Alpha, Spread: cmp.Or(q.Spread, stats.SD)}}
	t.rows = g.sorted(func(c cellKey) benchproc.Key { return c.row }, inTable)
	for _, unit := range g.metrics {
		cols := g.sorted(func(c cellKey) benchproc.Key { return c.col }, func(c cellKey) bool { return inTable(c) && c.unit == unit })
		byNumber(cols)
		for _, col := range cols {
			head := unit
			if !g.byUnit {
				head = label(col)
				if len(g.metrics) > 1 {
					head = unit + " " + head
				}
			}
			t.heads = append(t.heads, cellKey{col: col, unit: unit})
			t.Columns = append(t.Columns, Column{Head: head, Unit: unit, Better: g.units[unit].Better})
		}
	}
	if !g.byUnit && len(g.metrics) == 1 {
		t.Title += " · " + g.metrics[0]
	}
	if !g.byUnit {
		t.Title += " by " + strings.ReplaceAll(q.Cols, "/", "")
	}

	fields := t.rows[0].Projection().FlattenedFields()
	for _, f := range fields {
		t.RowHeads = append(t.RowHeads, strings.TrimPrefix(f.Name, "/"))
	}
	showK, mixed := false, map[string]bool{}
	ks := make([]int, len(t.rows))
	for i, row := range t.rows {
		r := Row{}
		for _, f := range fields {
			r.Labels = append(r.Labels, fieldText(row, f))
		}
		for _, head := range t.heads {
			place := cellKey{key, row, head.col, head.unit}
			r.Cells = append(r.Cells, Cell{Summary: summarise(g.bySeed(place))})
			for _, name := range g.mixed(place) {
				mixed[name] = true
			}
			ks[i] = max(ks[i], g.samples[place])
		}
		showK = showK || ks[i] > 0
		t.Rows = append(t.Rows, r)
	}
	if showK && !g.keyed && g.byUnit {
		t.RowHeads = append(t.RowHeads, "K")
		for i := range t.Rows {
			k := ""
			if ks[i] > 0 {
				k = fmt.Sprint(ks[i])
			}
			t.Rows[i].Labels = append(t.Rows[i].Labels, k)
		}
	}
	if slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Unit == deeUnit }) {
		t.Notes = append(t.Notes, deeNote)
	}
	for _, field := range sortedNames(mixed) {
		t.Notes = append(t.Notes, fmt.Sprintf("Warning: some cells mix values that differ in %s; name it in a row or column, or filter.", field))
	}
	return t
}

func sortedNames(m map[string]bool) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// fieldText is a field's value without the escapes of benchmark names.
func fieldText(key benchproc.Key, f *benchproc.Field) string {
	if strings.HasPrefix(f.Name, "/") {
		return results.Unescape(key.Get(f))
	}
	return key.Get(f)
}

// title joins the values of a key that are not empty.
func title(key benchproc.Key) string {
	var parts []string
	for _, f := range key.Projection().FlattenedFields() {
		if v := fieldText(key, f); v != "" {
			parts = append(parts, v)
		}
	}
	return strings.Join(parts, " · ")
}

// tableTitle is title with the names of the keys that do not explain themselves, such as ood.
func tableTitle(key benchproc.Key) string {
	var parts []string
	for _, f := range key.Projection().FlattenedFields() {
		v := fieldText(key, f)
		if v != "" && !slices.Contains([]string{".name", "/model", "/method", "/backend"}, f.Name) {
			v = strings.TrimPrefix(f.Name, "/") + " " + v
		}
		if v != "" {
			parts = append(parts, v)
		}
	}
	return strings.Join(parts, " · ")
}

func label(key benchproc.Key) string { return strings.ReplaceAll(title(key), " · ", " ") }

// compare fills in the comparisons with the baseline row, corrected over the whole table.
func (t *placed) compare(g *grouped, key benchproc.Key, q Query) error {
	if q.Baseline == "" {
		return nil
	}
	base := slices.IndexFunc(t.Rows, func(r Row) bool { return r.Label() == q.Baseline })
	if base < 0 {
		base = slices.IndexFunc(t.Rows, func(r Row) bool { return r.Labels[0] == q.Baseline })
	}
	if base < 0 {
		var names []string
		for _, r := range t.Rows {
			names = append(names, r.Labels[0])
		}
		return fmt.Errorf("no row %q for a baseline in table %s%s", q.Baseline, t.Title, meant(q.Baseline, names))
	}
	t.Baseline = q.Baseline
	var all []*Comparison
	unpaired := false
	for i := range t.Rows {
		if i == base {
			continue
		}
		for j, head := range t.heads {
			ours := g.bySeed(cellKey{key, t.rows[i], head.col, head.unit})
			theirs := g.bySeed(cellKey{key, t.rows[base], head.col, head.unit})
			if c := compareSeeds(ours, theirs, g.units[head.unit].Better); c != nil {
				t.Rows[i].Cells[j].Comparison = c
				all = append(all, c)
				unpaired = unpaired || c.Pairs == 0
			}
		}
	}
	if unpaired {
		t.Notes = append(t.Notes, "Rows that share no seed with the baseline are compared unpaired, by the Mann-Whitney U test.")
	}
	if note := judge(all, q.Alpha); note != "" {
		t.Notes, t.tooFewSeeds = append(t.Notes, note), true
	}
	return nil
}
