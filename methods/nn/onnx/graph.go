package onnx

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// graph is what is known of a network before any shape.
type graph struct {
	input     valueInfo
	output    string
	nodes     []*node            // that the output needs, in order
	constants map[string]*tensor // by the name of the value
	layers    map[*node]*layer   // of the nodes that have weights
	fused     map[*node]bool     // additions that are the bias of a layer before
	head      *node              // whose outputs are the network's; nil where it is no fully connected layer
	dropout   bool               // some node is a dropout
}

// layer is the parameters of a node.
type layer struct {
	name     string
	weight   *tensor
	bias     *tensor // nil where there is none
	turned   bool    // the weights stand as [in out]
	mean     *tensor // of batch normalisation, as variance
	variance *tensor
}

// NodeError says which node of a file cannot be read.
type NodeError struct {
	Number   int // in the file, from 1
	Name, Op string
	Err      error
}

func (e *NodeError) Error() string {
	return fmt.Sprintf("node %d, %q (%s): %v", e.Number, e.Name, e.Op, e.Err)
}

func (e *NodeError) Unwrap() error { return e.Err }

func (n *node) fail(format string, args ...any) error {
	return &NodeError{n.number, n.name, n.op, fmt.Errorf(format, args...)}
}

// in is the name of input i, "" where it is left out.
func (n *node) in(i int) string {
	if i >= len(n.inputs) {
		return ""
	}
	return n.inputs[i]
}

func newGraph(m *modelProto) (*graph, error) {
	g := &graph{constants: map[string]*tensor{}, layers: map[*node]*layer{}, fused: map[*node]bool{}}
	for _, t := range m.graph.initialisers {
		g.constants[t.name] = t
	}
	inputs := slices.DeleteFunc(slices.Clone(m.graph.inputs), func(v valueInfo) bool { return g.constants[v.name] != nil })
	if len(inputs) != 1 || len(m.graph.outputs) != 1 {
		return nil, fmt.Errorf("want a network of one input and one output, found %d and %d", len(inputs), len(m.graph.outputs))
	}
	g.input, g.output = inputs[0], m.graph.outputs[0].name
	if g.input.dtype != float32Type || !g.input.known || len(g.input.shape) < 2 {
		return nil, fmt.Errorf("input %q: want float32 of two axes or more, the first the batch", g.input.name)
	}
	if err := g.live(m.graph.nodes); err != nil {
		return nil, err
	}
	if err := g.check(); err != nil {
		return nil, err
	}
	if err := g.findLayers(); err != nil {
		return nil, err
	}
	return g, g.findHead()
}

// live keeps the nodes that the output needs, and takes constants out of them.
func (g *graph) live(nodes []*node) error {
	maker := map[string]*node{}
	for _, n := range nodes {
		for _, out := range n.outputs {
			if out != "" && maker[out] != nil {
				return n.fail("its output %q is also that of node %d", out, maker[out].number)
			}
			maker[out] = n
		}
	}
	needed := map[*node]bool{}
	todo := []string{g.output}
	for len(todo) > 0 {
		n := maker[todo[len(todo)-1]]
		todo = todo[:len(todo)-1]
		if n != nil && !needed[n] {
			needed[n] = true
			todo = append(todo, n.inputs...)
		}
	}
	for _, n := range nodes {
		if !needed[n] {
			continue
		}
		switch value := n.attributes["value"]; {
		case n.op == "Constant" && value.t != nil && len(n.outputs) == 1:
			g.constants[n.outputs[0]] = value.t
			continue
		case g.passes(n):
			// A writer keeps equal tensors once. They are parameters of their own all the same.
			own := *g.constants[n.inputs[0]]
			own.name = n.outputs[0]
			g.constants[own.name] = &own
			continue
		}
		if n.op == "Transpose" && len(n.inputs) == 1 && len(n.outputs) == 1 {
			if t := g.constants[n.inputs[0]]; t != nil && t.float() && len(t.dims) == 2 && t.of == nil && !slices.Equal(n.attributes["perm"].ints, []int64{0, 1}) {
				g.constants[n.outputs[0]] = &tensor{name: t.name, dims: []int{t.dims[1], t.dims[0]}, dtype: t.dtype, of: t}
				continue
			}
		}
		g.nodes = append(g.nodes, n)
	}
	return nil
}

// passes reports whether a node gives on a constant as it is.
func (g *graph) passes(n *node) bool {
	if len(n.inputs) != 1 || len(n.outputs) != 1 || g.constants[n.inputs[0]] == nil {
		return false
	}
	t := g.constants[n.inputs[0]]
	to := &tensor{dtype: n.attributes["to"].i}
	return n.op == "Identity" || n.op == "Cast" && (t.float() && to.float() || t.integer() && to.integer())
}

// check refuses ops that are not understood, and values that are used before they are made.
func (g *graph) check() error {
	made := map[string]bool{"": true, g.input.name: true}
	for _, n := range g.nodes {
		known := ops[n.op] != nil && (n.domain == "" || n.domain == "ai.onnx")
		if !known {
			return n.fail("this op is not read; docs/networks.md lists those that are")
		}
		for name, a := range n.attributes {
			if a.graph {
				return n.fail("its attribute %q is a graph of its own, which is not read", name)
			}
		}
		for _, in := range n.inputs {
			if !made[in] && g.constants[in] == nil {
				return n.fail("its input %q is made by no node before it", in)
			}
		}
		for _, out := range n.outputs {
			made[out] = true
		}
		g.dropout = g.dropout || n.op == "Dropout"
	}
	if !made[g.output] {
		return fmt.Errorf("the output %q is made by no node", g.output)
	}
	return nil
}

// users lists the nodes that read each value.
func (g *graph) users() map[string][]*node {
	users := map[string][]*node{}
	for _, n := range g.nodes {
		for _, in := range n.inputs {
			users[in] = append(users[in], n)
		}
	}
	return users
}

// findLayers finds the parameters of each node that has some, and names them.
func (g *graph) findLayers() error {
	users := g.users()
	taken := map[string]bool{}
	used := map[*tensor]*node{}
	for _, n := range g.nodes {
		l, err := g.layerOf(n, users)
		if err != nil || l == nil {
			if err != nil {
				return err
			}
			continue
		}
		for _, t := range []*tensor{l.weight, l.bias, l.mean, l.variance} {
			if t == nil {
				continue
			}
			if !t.float() {
				return n.fail("its parameter %q is not of float32 or float64", t.name)
			}
			if other := used[t]; other != nil {
				return n.fail("its parameter %q is also that of node %d, %q; a parameter that two layers share cannot have a posterior of its own",
					t.name, other.number, other.name)
			}
			used[t] = n
		}
		l.name = layerName(n, l.weight.name)
		for i := 2; taken[l.name]; i++ {
			l.name = layerName(n, l.weight.name) + "-" + strconv.Itoa(i)
		}
		taken[l.name] = true
		g.layers[n] = l
	}
	return nil
}

// layerOf is the parameters of a node without their layer's name, nil where it has none.
func (g *graph) layerOf(n *node, users map[string][]*node) (*layer, error) {
	parameter := func(i, rank int, what string) (*tensor, error) {
		t := g.constants[n.in(i)]
		if t == nil {
			return nil, n.fail("its %s %q are computed by the graph; want them in the file", what, n.in(i))
		}
		if len(t.dims) != rank {
			return nil, n.fail("its %s %q have the shape %v; want %d axes", what, t.name, t.dims, rank)
		}
		return t, nil
	}
	var l layer
	var err error
	switch n.op {
	case "Conv":
		if l.weight, err = parameter(1, 4, "weights"); err != nil {
			return nil, err
		}
		if n.in(2) != "" {
			l.bias, err = parameter(2, 1, "biases")
		}
	case "Gemm":
		if l.weight, err = parameter(1, 2, "weights"); err != nil {
			return nil, err
		}
		l.turned = n.attributes["transB"].i == 0
		if n.in(2) != "" {
			l.bias, err = parameter(2, 1, "biases")
		}
		for name, want := range map[string]float32{"alpha": 1, "beta": 1} {
			if a, ok := n.attributes[name]; ok && a.f != want {
				return nil, n.fail("want %s = %v, found %v", name, want, a.f)
			}
		}
		if n.attributes["transA"].i != 0 {
			return nil, n.fail("want transA = 0")
		}
	case "MatMul":
		if g.constants[n.in(1)] == nil && g.constants[n.in(0)] == nil {
			return nil, n.fail("it multiplies two values that the graph computes; want weights of the file")
		}
		if l.weight, err = parameter(1, 2, "weights"); err != nil {
			return nil, err
		}
		l.turned = true
		if next := users[n.outputs[0]]; len(next) == 1 && next[0].op == "Add" && n.outputs[0] != g.output {
			add := next[0]
			other := add.in(0)
			if other == n.outputs[0] {
				other = add.in(1)
			}
			if t := g.constants[other]; t != nil && t.float() && len(t.dims) == 1 && t.dims[0] == l.weight.dims[1] {
				l.bias, g.fused[add] = t, true
			}
		}
	case "BatchNormalization":
		for i, to := range []**tensor{&l.weight, &l.bias, &l.mean, &l.variance} {
			if *to, err = parameter(i+1, 1, "parameters"); err != nil {
				return nil, err
			}
		}
		for _, t := range []*tensor{l.bias, l.mean, l.variance} {
			if !slices.Equal(t.dims, l.weight.dims) {
				return nil, n.fail("its parameters %q and %q differ in shape: %v and %v", l.weight.name, t.name, l.weight.dims, t.dims)
			}
		}
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if l.weight.of != nil {
		l.weight, l.turned = l.weight.of, !l.turned
	}
	if l.bias != nil && l.bias.dims[0] != l.out() {
		return nil, n.fail("its biases %q have the shape %v for %d outputs", l.bias.name, l.bias.dims, l.out())
	}
	return &l, nil
}

// out is the number of outputs.
func (l *layer) out() int {
	if l.turned {
		return l.weight.dims[1]
	}
	return l.weight.dims[0]
}

// layerName is the name of the weights without ".weight": "features.0" of "features.0.weight".
// Weights that their writer has given a number alone, as "onnx::MatMul_17", are called by their
// node.
func layerName(n *node, weight string) string {
	name := strings.TrimSuffix(weight, ".weight")
	if strings.Contains(name, "::") || strings.Contains(name, "/") {
		if path := strings.Split(strings.Trim(n.name, "/"), "/"); n.name != "" {
			name = strings.Join(path[:max(len(path)-1, 1)], ".")
		}
	}
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_.-", r) {
			return r
		}
		return '_'
	}, name)
	if plain == "" {
		plain = "layer" + strconv.Itoa(n.number)
	}
	return plain
}

// findHead finds the fully connected layer whose outputs are the network's.
func (g *graph) findHead() error {
	maker := map[string]*node{}
	for _, n := range g.nodes {
		for _, out := range n.outputs {
			maker[out] = n
		}
	}
	for n := maker[g.output]; n != nil; n = maker[n.in(0)] {
		switch {
		case n.op == "Gemm" || n.op == "MatMul":
			g.head = n
			return nil
		case n.op == "Softmax":
			return n.fail("the network ends in probabilities; export it without this node, since the likelihood takes the outputs before")
		case g.fused[n] && maker[n.in(0)] == nil:
			g.head = maker[n.in(1)]
			return nil
		case !g.fused[n] && !slices.Contains([]string{"Identity", "Flatten", "Reshape", "Squeeze", "LogSoftmax"}, n.op):
			return nil
		}
	}
	return nil
}
