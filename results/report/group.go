package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchproc"

	"bayesbench/results"
	"bayesbench/results/stats"
)

// cellKey is a place in a table. The column is the unit where q.Cols is empty.
type cellKey struct {
	table, row, col benchproc.Key
	unit            string
}

// sample is one value of a cell: that of one replicate.
type sample struct {
	value  float64
	record *results.Record
}

func (s sample) replicate() results.Replicate { return s.record.Replicate() }

// byReplicate are the values of one cell.
type byReplicate = map[results.Replicate]float64

// pair pairs the values of two cells, seed by seed and split by split.
func pair(a, b byReplicate) stats.Pairs[results.Replicate] {
	return stats.Pair(a, b, results.Replicate.Compare)
}

// inOrder are the values of a cell in the order of their replicates.
func inOrder(values byReplicate) []float64 { return pair(values, values).A }

// grouped holds the samples of each cell. A cell holds one configuration: its samples differ in the
// seed, in the split of the data and in what no name holds, such as the version of the program, and
// pair with those of another cell by seed and split alone.
type grouped struct {
	units   results.Units
	metrics []string // units that are shown, in column order
	metric  map[string]bool
	values  map[cellKey][]sample
	samples map[cellKey]int // K of the values, the largest there is unless K is projected; 0 if they do not depend on K
	keyed   bool            // K stands in a projection
	byUnit  bool            // columns are metrics

	order   []benchproc.Key                            // tables
	places  map[benchproc.Key][]cellKey                // of each table, in the order of the records
	left    map[benchproc.Key]leftRecords              // of each table, by the detail keys that the query does not name
	smaller map[benchproc.Key]map[*results.Record]bool // of each table, those of a smaller K than their row's
	filter  filtered
	added   []string // keys that were added to the rows
	setups  bool     // some rows are told apart by the setup alone
	example [2]results.Origin
}

// leftRecords counts the records that a query leaves out, by the keys that would show them.
type leftRecords map[string]int

// plus is l with the counts of other added.
func (l leftRecords) plus(other leftRecords) leftRecords {
	sum := leftRecords{}
	for _, part := range []leftRecords{l, other} {
		for keys, n := range part {
			sum[keys] += n
		}
	}
	return sum
}

// notes says how many records are left out, and how to see them.
func (l leftRecords) notes() []string {
	var notes []string
	for _, keys := range slices.Sorted(maps.Keys(l)) {
		first, _, _ := strings.Cut(keys, " ")
		notes = append(notes, fmt.Sprintf("Left out: %s of %s; name %s in -row, -col or -filter to see them.",
			plural(l[keys], "record"), strings.ReplaceAll(keys, " ", ", "), first))
	}
	return notes
}

// filtered counts what the filter and fixed orders of projections leave out.
type filtered struct{ out, of int }

// group groups the values of the records by the projections. Records that differ in a name key
// which no projection has would share a cell: the key is added to the rows instead. Two records of
// one cell and one replicate are an error, unless they say the same.
func group(set results.Set, q Query) (*grouped, error) {
	q = q.withDefaults(set.Records)
	if len(set.Records) > 0 {
		for _, projection := range []string{q.Rows, q.Cols} {
			if err := checkKeys(set.Records, projection); err != nil {
				return nil, err
			}
		}
	}
	keep, err := newFilter(q.Filter)
	if err != nil {
		return nil, err
	}
	g := &grouped{
		units: set.Units, metric: map[string]bool{}, values: map[cellKey][]sample{}, samples: map[cellKey]int{},
		places: map[benchproc.Key][]cellKey{}, left: map[benchproc.Key]leftRecords{},
		smaller: map[benchproc.Key]map[*results.Record]bool{},
		keyed:   mentioned(q.Tables, q.Rows, q.Cols)["samples"], byUnit: q.Cols == "",
	}
	named := q.mentioned()
	var records, details []*results.Record
	for i := range set.Records {
		r := &set.Records[i]
		kept, err := keep(r)
		switch {
		case err != nil:
			return nil, err
		case !kept:
			g.filter.out++
		case hiddenDetail(r, named) != "":
			details = append(details, r)
		default:
			records = append(records, r)
		}
		g.filter.of++
	}
	if g.metrics, err = q.units(records); err != nil {
		return nil, err
	}
	for _, unit := range g.metrics {
		g.metric[unit] = true
	}
	first, err := newProjections(q)
	if err != nil {
		return nil, err
	}
	if g.added = first.missing(records, g.metric); len(g.added) > 0 {
		for _, key := range g.added {
			q.Rows += ",/" + key
		}
	}
	p, err := newProjections(q)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		if ok, err := p.keep(r); err != nil {
			return nil, err
		} else if !ok {
			g.filter.out++
			continue
		}
		place := p.place(r)
		for _, v := range r.Values {
			if !g.metric[v.Unit] {
				continue
			}
			place.unit = v.Unit
			if !g.keyed && r.Samples < g.samples[place] {
				g.leaveSmaller(place.table, r)
				continue
			}
			if have := g.values[place]; !g.keyed && r.Samples > g.samples[place] && len(have) > 0 {
				for _, s := range have {
					g.leaveSmaller(place.table, s.record)
				}
				g.values[place] = have[:0]
			}
			g.samples[place] = r.Samples
			if err := g.add(place, sample{v.Value, r}); err != nil {
				return nil, err
			}
		}
	}
	for _, r := range details {
		table := p.place(r).table
		if g.left[table] == nil {
			g.left[table] = leftRecords{}
		}
		g.left[table][hiddenDetail(r, named)]++
	}
	benchproc.SortKeys(g.order)
	g.noteSetups(records)
	return g, nil
}

func (g *grouped) leaveSmaller(table benchproc.Key, r *results.Record) {
	if g.smaller[table] == nil {
		g.smaller[table] = map[*results.Record]bool{}
	}
	g.smaller[table][r] = true
}

// add adds a sample, unless it is there already, as when two files hold the same job.
func (g *grouped) add(place cellKey, s sample) error {
	have, placed := g.values[place]
	for _, o := range have {
		if o.replicate() != s.replicate() {
			continue
		}
		if math.Float64bits(o.value) == math.Float64bits(s.value) {
			return nil
		}
		return &twiceError{unit: place.unit, a: o, b: s}
	}
	if !placed {
		if _, known := g.places[place.table]; !known {
			g.order = append(g.order, place.table)
		}
		g.places[place.table] = append(g.places[place.table], place)
	}
	g.values[place] = append(have, s)
	return nil
}

// twiceError says that two records of one configuration and one replicate have different values.
type twiceError struct {
	unit string
	a, b sample
}

func (e *twiceError) Error() string {
	differ := ""
	for _, p := range e.a.record.Config {
		if other := e.b.record.ConfigValue(p.Key); other != "" && other != p.Value {
			differ = cmp.Or(differ, p.Key)
		}
	}
	origin := func(s sample) string {
		text := strconv.FormatFloat(s.value, 'g', -1, 64)
		var of []string
		if id := s.record.Origin.Job; id != "" {
			of = append(of, "job "+id)
		}
		if differ != "" {
			of = append(of, differ+" "+s.record.ConfigValue(differ))
		}
		if len(of) > 0 {
			text += " (" + strings.Join(of, ", ") + ")"
		}
		return text
	}
	seed, remedy := "for "+e.a.replicate().String(), "give one of the two results"
	if e.a.replicate() == (results.Replicate{}) {
		seed, remedy = "without a seed", "give each its seed (benchrun score -seed)"
	}
	if differ != "" {
		remedy += fmt.Sprintf(", choose with -filter '%s:%s', or name %s in -row", differ, strconv.Quote(e.b.record.ConfigValue(differ)), differ)
	}
	return fmt.Sprintf("%s: %s stands twice %s: %s and %s; %s", e.a.record.Name(), e.unit, seed, origin(e.a), origin(e.b), remedy)
}

// at returns the values of a cell.
func (g *grouped) at(place cellKey) byReplicate {
	values := byReplicate{}
	for _, s := range g.values[place] {
		values[s.replicate()] = s.value
	}
	return values
}

// projections are those of a query. Keep drops what a fixed order, such as /method@(a b), does not
// list.
type projections struct {
	tables, rows, cols *benchproc.Projection
	filter             *benchproc.Filter
}

func newProjections(q Query) (*projections, error) {
	filter, err := benchproc.NewFilter("*")
	if err != nil {
		return nil, err
	}
	var parser benchproc.ProjectionParser
	var parsed [3]*benchproc.Projection
	for i, text := range []string{q.Tables, q.Rows, q.Cols} {
		if parsed[i], err = parser.Parse(text, filter); err != nil {
			return nil, fmt.Errorf("projection %q: %w", text, err)
		}
	}
	return &projections{parsed[0], parsed[1], parsed[2], filter}, nil
}

func (p *projections) keep(r *results.Record) (bool, error) { return p.filter.Apply(r.Result()) }

func (p *projections) place(r *results.Record) cellKey {
	res := r.Result()
	return cellKey{table: p.tables.Project(res), row: p.rows.Project(res), col: p.cols.Project(res)}
}

// missing lists the name keys, other than K, in which records of one cell and one of the units
// differ. A record without a predictor holds for all predictors of its job and does not count as
// one of another.
func (p *projections) missing(records []*results.Record, units map[string]bool) []string {
	first := map[cellKey]*results.Record{}
	predictor := map[cellKey]string{}
	found := map[string]bool{}
	for _, r := range records {
		here := p.place(r)
		for _, v := range r.Values {
			if !units[v.Unit] {
				continue
			}
			here.unit = v.Unit
			o := first[here]
			if o == nil {
				first[here] = r
			}
			if name := sweepValue(r, predictKey); name != "" {
				if have := predictor[here]; have != "" && have != name {
					found[predictKey] = true
				}
				predictor[here] = name
			}
			if o == nil || sameName(o, r) {
				continue
			}
			for _, pair := range slices.Concat(o.NameKeys(), r.NameKeys()) {
				if pair.Key != "samples" && pair.Key != predictKey && nameValue(o, pair.Key) != nameValue(r, pair.Key) {
					found[pair.Key] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// sameName reports that two records have equal names but for K.
func sameName(a, b *results.Record) bool {
	return a.Model == b.Model && a.Method == b.Method && a.Backend == b.Backend && slices.Equal(a.Sweep, b.Sweep)
}

// nameValue is the value of a name key, "" if the record lacks it.
func nameValue(r *results.Record, key string) string {
	switch key {
	case "model":
		return r.Model
	case "method":
		return r.Method
	case "backend":
		return r.Backend
	}
	return sweepValue(r, key)
}

// mentioned are the name keys, without their slash, that projections name.
func mentioned(projections ...string) map[string]bool {
	keys := map[string]bool{}
	for _, text := range projections {
		for part := range strings.SplitSeq(text, ",") {
			key, _, _ := strings.Cut(strings.TrimSpace(part), "@")
			if name, ok := strings.CutPrefix(key, "/"); ok {
				keys[name] = true
			}
		}
	}
	return keys
}

// mentioned are the name keys that a query names, its filter included.
func (q Query) mentioned() map[string]bool {
	keys := mentioned(q.Tables, q.Rows, q.Cols)
	for _, m := range filterKey.FindAllStringSubmatch(q.Filter, -1) {
		if name, ok := strings.CutPrefix(m[1], "/"); ok {
			keys[name] = true
		}
	}
	return keys
}

// hiddenDetail returns the detail keys of a record if none of them is named, "" otherwise.
func hiddenDetail(r *results.Record, named map[string]bool) string {
	text := ""
	for _, p := range r.Sweep {
		if !slices.Contains(detailKeys, p.Key) {
			continue
		}
		if named[p.Key] {
			return ""
		}
		text += " /" + p.Key
	}
	return strings.TrimPrefix(text, " ")
}

// withoutDetail drops records of shifted test data, of single layers and the like, unless the query
// names one of their keys.
func withoutDetail(records []results.Record, q Query) []results.Record {
	named := q.mentioned()
	return slices.DeleteFunc(slices.Clone(records), func(r results.Record) bool { return hiddenDetail(&r, named) != "" })
}

// tellSetupsApart adds the key setup to the names of records that have one name and several setups,
// as results files of different runs may hold. Records that do not say their setup stay as they
// are. Sides of a comparison are told apart each for itself.
func tellSetupsApart(records []results.Record) []results.Record {
	base := func(r *results.Record) string {
		b := strings.Join([]string{r.Data, r.Model, r.Method, r.Backend, r.ConfigValue(side)}, "\x00")
		for _, p := range r.Sweep {
			if p.Key == "labels" || strings.Contains(p.Key, ".") {
				b += "\x00" + p.Key + "=" + p.Value
			}
		}
		return b
	}
	setups, several := map[string]string{}, map[string]bool{}
	for i := range records {
		if r := &records[i]; r.Origin.Setup != "" && sweepValue(r, results.SetupKey) == "" {
			b := base(r)
			if have, ok := setups[b]; ok && have != r.Origin.Setup {
				several[b] = true
			}
			setups[b] = r.Origin.Setup
		}
	}
	if len(several) == 0 {
		return records
	}
	apart := slices.Clone(records)
	for i := range apart {
		if r := &apart[i]; r.Origin.Setup != "" && sweepValue(r, results.SetupKey) == "" && several[base(r)] {
			r.Sweep = append(slices.Clone(r.Sweep), results.Pair{Key: results.SetupKey, Value: r.Origin.Setup})
		}
	}
	return apart
}

// noteSetups finds two jobs that only the key setup tells apart.
func (g *grouped) noteSetups(records []*results.Record) {
	for _, r := range records {
		if sweepValue(r, results.SetupKey) == "" {
			continue
		}
		switch {
		case g.example[0].Setup == "":
			g.example[0] = r.Origin
		case g.example[0].Setup != r.Origin.Setup:
			g.example[1], g.setups = r.Origin, true
			return
		}
	}
}

// pickOf is how the settings of a row with columns of those heads were selected.
func (g *grouped) pickOf(row cellKey, heads []cellKey, q Query) *Pick {
	var samples []sample
	for _, head := range heads {
		row.col, row.unit = head.col, head.unit
		samples = append(samples, g.values[row]...)
	}
	return q.picks.at(samples)
}

// notes say what the query selects, what it leaves out of a table, or all of it, and which keys
// were added.
func (g *grouped) notes(table benchproc.Key, q Query) []string {
	var samples []sample
	for _, place := range g.places[table] {
		samples = append(samples, g.values[place]...)
	}
	notes := q.picks.noted(samples)
	if len(g.added) > 0 {
		notes = append(notes, fmt.Sprintf("Rows are told apart by /%s too, in which results of one row would differ.", strings.Join(g.added, ", /")))
	}
	if g.setups {
		notes = append(notes, fmt.Sprintf("Rows of another setup have another configuration, though no setting in the names tells them apart: compare "+
			"the manifest.json of jobs %s and %s.", g.example[0].Job, g.example[1].Job))
	}
	if n := len(g.smaller[table]); n > 0 {
		notes = append(notes, fmt.Sprintf("Each row at its largest K: %s at a smaller K left out; name /samples in -row or -col to see them.", plural(n, "record")))
	}
	left := maps.Clone(g.left[table])
	if table == g.order[0] { // and those of tables that nothing else is in
		for other, records := range g.left {
			if _, there := g.places[other]; !there {
				left = left.plus(records)
			}
		}
	}
	if q.layersApart {
		delete(left, "/layer")
	}
	notes = append(notes, left.notes()...)
	if g.filter.out > 0 && table == g.order[0] {
		what := "The filter leaves"
		if q.Filter == "" {
			what = "The orders of the keys leave"
		}
		notes = append(notes, fmt.Sprintf("%s out %d of %s.", what, g.filter.out, plural(g.filter.of, "record")))
	}
	return notes
}

// over names what the samples of a table are: seeds, splits of the data, or runs where both vary.
func (g *grouped) over(table benchproc.Key) string {
	var all []sample
	for _, place := range g.places[table] {
		all = append(all, g.values[place]...)
	}
	return replicatesOf(all)
}

// replicatesOf names what the samples are, see grouped.over.
func replicatesOf(samples []sample) string {
	seeds, splits := map[string]bool{}, map[string]bool{}
	for _, s := range samples {
		at := s.replicate()
		seeds[at.Seed], splits[at.Split] = true, true
	}
	switch {
	case len(splits) == 0 || len(splits) == 1 && splits[""]:
		return "seeds"
	case len(seeds) == 1:
		return "splits"
	}
	return "runs"
}

// byUnits returns the places of a table by unit.
func (g *grouped) byUnits(table benchproc.Key) map[string][]cellKey {
	places := map[string][]cellKey{}
	for _, place := range g.places[table] {
		places[place.unit] = append(places[place.unit], place)
	}
	return places
}

// rowsOf and colsOf are the rows and the columns of places, in the order of their projections.
func rowsOf(places []cellKey) []benchproc.Key {
	return distinctKeys(places, func(c cellKey) benchproc.Key { return c.row })
}

func colsOf(places []cellKey) []benchproc.Key {
	return distinctKeys(places, func(c cellKey) benchproc.Key { return c.col })
}

func distinctKeys(places []cellKey, pick func(cellKey) benchproc.Key) []benchproc.Key {
	seen := map[benchproc.Key]bool{}
	var keys []benchproc.Key
	for _, place := range places {
		if key := pick(place); !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	benchproc.SortKeys(keys)
	return keys
}
