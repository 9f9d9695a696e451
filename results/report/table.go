package report

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchproc"

	"bayesbench/internal/nearest"
	"bayesbench/results"
	"bayesbench/results/metrics"
	"bayesbench/results/stats"
)

// Query says what a table shows. The zero Query is the table of methods and headline metrics at
// each method's largest number of posterior samples.
type Query struct {
	Filter   string   // benchproc filter, such as `/method:sparse-vd OR seed:0`; "" keeps all
	Tables   string   // projection: one table per value; "" is DefaultTables
	Rows     string   // projection; "" is /method and every further name key that varies
	Cols     string   // projection; "" makes each metric a column, otherwise each metric is a table of its own
	Metrics  []string // units in the order of the columns; nil is metrics.Headline; "all" is every unit
	Baseline string   // what rows are compared with: a row's label, or the value of its first key; "" compares nothing
	Primary  string   // the unit whose comparisons decide; "" is the first column's that no clock measured
	Alpha    float64  // significance level; 0 is 0.05

	Spread stats.Spread // what stands behind a ±; "" is stats.SD
	// Select picks one of the swept settings of each method, which the tables then show alone.
	Select Selection

	layersApart bool // single layers have a table of their own
	picks       *picks
}

// DefaultTables separates what must not be averaged.
const DefaultTables = ".name,/model,/backend,/ood"

// detailKeys mark records of shifted test data, of the validation split, of one layer or of one
// parameter's gradient. They stay out of a table that does not mention them.
var detailKeys = []string{"split", "corruption", "severity", "attack", "epsilon", "layer", "estimator", "parameter"}

// predictKey tells apart the predictors of one job, such as posterior samples and pruned posterior
// means. Records without it hold for all of them.
const predictKey = "predict"

// Table is one table, ready for any format.
type Table struct {
	Title    string
	RowHeads []string // what the row labels are, such as method, samples
	Columns  []Column
	Rows     []Row
	Baseline string // label of the row that the others are compared with, "" if none
	Alpha    float64
	Spread   stats.Spread // what stands behind a ±
	Over     string       // what means and spreads are over: seeds, splits, or runs of both
	Notes    []string

	primary     string // the unit whose comparisons decide, "" without a baseline
	family      int    // comparisons of it
	paired      bool   // by seed; some at least
	tooFewSeeds bool   // some comparison could not have been significant
}

// Column is one metric, or one value of the column projection.
type Column struct {
	Head   string
	Unit   string
	Better results.Better
	Timing bool // a clock measured it
}

// Row is one method, or one value of the row projection.
type Row struct {
	Labels []string
	Mark   string // Untraceable, Outdated and the like behind the first label; a note says what they mean
	Pick   *Pick  // how its settings were selected, nil where nothing was
	Cells  []Cell
}

// shown are the labels with the mark.
func (r Row) shown() []string {
	if r.Mark == "" || len(r.Labels) == 0 {
		return r.Labels
	}
	labels := slices.Clone(r.Labels)
	labels[0] = strings.TrimSpace(labels[0] + " " + r.Mark)
	return labels
}

// Label is the row's labels in one.
func (r Row) Label() string { return strings.TrimSpace(strings.Join(r.Labels, " ")) }

// Cell is one metric of one row over the seeds.
type Cell struct {
	Summary
	*Comparison // with the baseline row; nil in that row, without a baseline, or where nothing can be paired
}

// Build makes the tables that the query asks for. A query that names no rows, columns or metrics
// gets the sparsity of each layer as well, where there is any.
func Build(set results.Set, q Query) ([]Table, error) {
	set.Records = tellSetupsApart(amongOthers(set.Records))
	set, err := withDEE(set)
	if err != nil {
		return nil, err
	}
	if set.Records, q.picks, err = q.pick(set); err != nil {
		return nil, err
	}
	q.layersApart = q.Rows == "" && q.Cols == "" && len(q.Metrics) == 0
	tables, err := tabulate(set, q)
	if err != nil || !q.layersApart {
		return tables, err
	}
	layers, err := buildLayers(set, q)
	return append(tables, layers...), err
}

// buildLayers makes the tables of sparsity by layer: a row for each layer, in the network's order,
// and a column for each method that prunes.
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
	// What the filter leaves is seen before tabulate, to which an empty result is a mistake of the
	// user's.
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

// withoutKeys drops keys from a projection, such as that of the predictors: all of a job have the
// same weights.
func withoutKeys(projection string, drop func(key string) bool) string {
	return strings.Join(slices.DeleteFunc(strings.Split(projection, ","), drop), ",")
}

func tabulate(set results.Set, q Query) ([]Table, error) {
	q, err := q.atLevel()
	if err != nil {
		return nil, err
	}
	q = q.withDefaults(set.Records)
	g, err := grouping(set, q)
	if err != nil {
		return nil, err
	}
	var tables []Table
	cells := 0
	for _, key := range g.order {
		t, err := g.table(key, q)
		if err != nil {
			return nil, err
		}
		if cells += len(t.Rows) * len(t.Columns); cells > maxCells {
			return nil, &sizeError{rows: len(t.Rows), columns: len(t.Columns), tables: len(tables) + 1}
		}
		if err := t.compare(g, q); err != nil {
			return nil, err
		}
		tables = append(tables, t.Table)
	}
	return tables, nil
}

// maxCells is how many cells the tables of one query may have together.
const maxCells = 1 << 20

// sizeError says that a query asks for more cells than are made.
type sizeError struct{ rows, columns, tables int }

func (e *sizeError) Error() string {
	return fmt.Sprintf("%s to one with %s and %s: want at most %d cells; keep fewer with -filter, or name other keys in -row and -col",
		plural(e.tables, "table"), plural(e.rows, "row"), plural(e.columns, "column"), maxCells)
}

// grouping is group over the predictors of each job, where they are told apart, and an error if
// there is nothing.
func grouping(set results.Set, q Query) (*grouped, error) {
	q = q.withDefaults(set.Records)
	over := set
	if q.mentioned()[predictKey] {
		over.Records = overPredictors(set.Records)
	}
	g, err := group(over, q)
	if err == nil && slices.Contains(g.added, predictKey) && !q.mentioned()[predictKey] {
		q.Rows += ",/" + predictKey
		over.Records = overPredictors(set.Records)
		if g, err = group(over, q); err == nil {
			g.added = append(g.added, predictKey)
		}
	}
	if err != nil {
		return nil, err
	}
	if len(g.values) == 0 {
		return nil, fmt.Errorf("no results match%s", noMatch(set, q))
	}
	return g, nil
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
	left, named := leftRecords{}, q.mentioned()
	for i := range set.Records {
		if keys := hiddenDetail(&set.Records[i], named); keys != "" {
			left[keys]++
		}
	}
	return strings.Join(append([]string{" the projections."}, left.notes()...), " ")
}

// filterKey finds the keys of a filter expression, for messages.
var filterKey = regexp.MustCompile(`(?:^|[\s(-])([/.]?[\w.-]+):`)

// newFilter returns a filter expression as a function of whole records.
func newFilter(expression string) (func(*results.Record) (bool, error), error) {
	filter, err := benchproc.NewFilter(cmp.Or(expression, "*"))
	if err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	return func(r *results.Record) (bool, error) { return filter.Apply(r.Result()) }, nil
}

func sweepValue(r *results.Record, key string) string {
	for _, p := range r.Sweep {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}

// setting names the job a record belongs to: its name without K, predictor and details, and its
// seed and split.
func setting(r *results.Record) string {
	c := withoutSamples(r)
	c.Sweep = slices.DeleteFunc(slices.Clone(c.Sweep), func(p results.Pair) bool {
		return p.Key == predictKey || slices.Contains(detailKeys, p.Key)
	})
	return fmt.Sprint(c.Name(), c.Replicate())
}

// overPredictors repeats each record without a predictor for every predictor of its job, so that
// training speed or sparsity stand in each of their rows.
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
		if !strings.Contains(taken, "/"+key+",") && (varies(records, key) || key == predictKey && q.picks.apart()) {
			rows += ",/" + key
		}
	}
	return cmp.Or(strings.TrimPrefix(rows, ","), "/model")
}

// varies reports whether a name key has more than one value, or is missing in some records. The
// predictor only counts where one job has several.
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

// units are the units that the query shows of the records, in the order of the columns.
func (q Query) units(records []*results.Record) ([]string, error) {
	present := map[string]bool{}
	for _, r := range records {
		for _, v := range r.Values {
			present[v.Unit] = true
		}
	}
	all := slices.Sorted(maps.Keys(present))
	switch {
	case len(q.Metrics) == 1 && q.Metrics[0] == "all":
		return all, nil
	case len(q.Metrics) > 0:
		for _, unit := range q.Metrics {
			if !present[unit] && len(present) > 0 {
				return nil, &unitError{unit, all}
			}
		}
		return q.Metrics, nil
	}
	headline := slices.DeleteFunc(metrics.Headline(), func(u string) bool { return !present[u] })
	if len(headline) == 0 {
		return all, nil
	}
	return headline, nil
}

// unitError says that a query names a metric of which there are no values.
type unitError struct {
	unit  string
	known []string
}

func (e *unitError) Error() string {
	return fmt.Sprintf("no values of metric %q%s", e.unit, meant(e.unit, e.known))
}

// meant names the closest of the known names, for error messages.
func meant(name string, known []string) string {
	if len(known) == 0 {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", nearest.Name(name, known))
}

// byNumber sorts keys that are all numbers, such as K or a severity, of which methods that have
// more than others would otherwise leave the last ones out of order.
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

// known are the keys that projections and filters can name: those of the records, and benchproc's
// own.
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

// checkKeys refuses a projection by a key that no record has, which would make one nameless row of
// everything.
func checkKeys(records []results.Record, projection string) error {
	all := known(records)
	for part := range strings.SplitSeq(projection, ",") {
		key, _, _ := strings.Cut(strings.TrimSpace(part), "@")
		if key != "" && !strings.ContainsAny(key, "\" ") && !slices.Contains(all, key) {
			return fmt.Errorf("no result has the key %q%s", key, meant(key, all))
		}
	}
	return nil
}

// placed is a table that knows which cell of the groups each of its cells is.
type placed struct {
	Table
	key   benchproc.Key
	rows  []benchproc.Key
	heads []cellKey // col and unit of each column
}

func (g *grouped) table(key benchproc.Key, q Query) (*placed, error) {
	t := &placed{Table: Table{Title: tableTitle(key), Alpha: q.Alpha, Spread: cmp.Or(q.Spread, stats.SD)}, key: key}
	byUnit := g.byUnits(key)
	t.rows = rowsOf(g.places[key])
	t.Over = g.over(key)
	for _, unit := range g.metrics {
		cols := colsOf(byUnit[unit])
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
			t.Columns = append(t.Columns, Column{Head: head, Unit: unit, Better: g.units[unit].Better, Timing: g.units[unit].Timing})
		}
	}
	if len(t.rows)*len(t.heads) > maxCells {
		return nil, &sizeError{rows: len(t.rows), columns: len(t.heads), tables: 1}
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
	showK := false
	ks := make([]int, len(t.rows))
	from := newProvenance()
	for i, row := range t.rows {
		r := Row{}
		for _, f := range fields {
			r.Labels = append(r.Labels, fieldText(row, f))
		}
		for _, head := range t.heads {
			place := cellKey{key, row, head.col, head.unit}
			r.Cells = append(r.Cells, Cell{Summary: summarise(g.at(place))})
			from.add(r.Label(), head.unit, g.values[place])
			ks[i] = max(ks[i], g.samples[place])
		}
		r.Pick = g.pickOf(cellKey{table: key, row: row}, t.heads, q)
		r.Mark = strings.TrimSpace(r.Pick.mark() + " " + from.mark(r.Label()))
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
	t.Notes = append(t.Notes, g.notes(key, q)...)
	if slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Unit == deeUnit }) {
		t.Notes = append(t.Notes, deeNote)
	}
	t.Notes = append(t.Notes, from.notes()...)
	return t, nil
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
