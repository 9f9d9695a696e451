package ir

import (
	"fmt"
	"strconv"
	"strings"
)

// The text form, one instruction a line:
//
//	program step
//	%0 = param "x" : f32[100 784]
//	%1 = param "w" : f32[300 784]
//	%2 = matmul %0 %1 transB : f32[100 300]
//	return "y" %2
//
// Blank lines and lines that start with # are passed over.

// String is the text form.
func (p *Program) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "program %s\n", p.Name)
	for i := range p.Instrs {
		fmt.Fprintf(&b, "%%%d = ", i)
		writeInstr(&b, &p.Instrs[i])
		b.WriteByte('\n')
	}
	b.WriteString("return")
	for _, r := range p.Results {
		fmt.Fprintf(&b, " %q %%%d", r.Name, r.Value)
	}
	b.WriteByte('\n')
	return b.String()
}

func writeInstr(b *strings.Builder, in *Instr) {
	b.WriteString(in.Op.String())
	for _, a := range in.Args {
		fmt.Fprintf(b, " %%%d", a)
	}
	uses := func(a attr) bool { return ops[in.Op].attrs&a != 0 }
	if uses(hasName) {
		fmt.Fprintf(b, " %q", in.Name)
	}
	if uses(hasValue) {
		b.WriteString(" " + strconv.FormatFloat(in.Value, 'g', -1, 64))
	}
	if uses(hasDims) {
		b.WriteString(" dims=" + intsString(in.Dims))
	}
	if uses(hasLoHi) {
		b.WriteString(" lo=" + intsString(in.Lo) + " hi=" + intsString(in.Hi))
	}
	if uses(hasAxis) {
		fmt.Fprintf(b, " axis=%d", in.Axis)
	}
	if uses(hasTrans) {
		b.WriteString(transString(in.TransA, in.TransB))
	}
	if uses(hasWindow) {
		w := in.Window
		if w.Kernel != [2]int{} {
			b.WriteString(" kernel=" + intsString(w.Kernel[:]))
		}
		b.WriteString(" stride=" + intsString(w.Stride[:]) + " pad=" + intsString(w.Pad[:]))
		if w.Groups != 0 {
			fmt.Fprintf(b, " groups=%d", w.Groups)
		}
	}
	if uses(hasStream) {
		fmt.Fprintf(b, " stream=%d", in.Stream)
	}
	b.WriteString(" : " + in.Type.String())
}

// Parse reads the text form. An error names the line, what was found and what
// was expected; the program it returns is valid.
func Parse(text string) (*Program, error) {
	p := &Program{}
	ended := false
	params := map[string]bool{}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		var err error
		switch {
		case ended:
			err = fmt.Errorf("nothing may follow return, found %q", line)
		case p.Name == "":
			name, ok := strings.CutPrefix(line, "program ")
			if !ok || strings.TrimSpace(name) == "" {
				err = fmt.Errorf("want program NAME, found %q", line)
			}
			p.Name = strings.TrimSpace(name)
		case line == "return" || strings.HasPrefix(line, "return "):
			err = p.parseReturn(line)
			ended = true
		default:
			if err = p.parseInstr(line); err != nil {
				break
			}
			if in := p.Instrs[len(p.Instrs)-1]; in.Op == Param {
				if params[in.Name] {
					err = fmt.Errorf("param: name %q is taken", in.Name)
				}
				params[in.Name] = true
			}
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	if !ended {
		return nil, fmt.Errorf("line %d: want return at the end, found none", len(lines))
	}
	return p, nil
}

// tokens splits at spaces, keeping quoted strings and bracketed lists whole.
func tokens(line string) ([]string, error) {
	var out []string
	for line = strings.TrimLeft(line, " \t"); line != ""; line = strings.TrimLeft(line, " \t") {
		n := strings.IndexAny(line, " \t")
		if line[0] == '"' {
			q, err := strconv.QuotedPrefix(line)
			if err != nil {
				return nil, fmt.Errorf("want a closed string, found %q", line)
			}
			n = len(q)
		} else if open := strings.IndexByte(line, '['); open >= 0 && (n < 0 || open < n) {
			end := strings.IndexByte(line, ']')
			if end < open {
				return nil, fmt.Errorf("want a closed list, found %q", line)
			}
			n = end + 1
		}
		if n < 0 {
			n = len(line)
		}
		out = append(out, line[:n])
		line = line[n:]
	}
	return out, nil
}

func parseValue(s string) (Value, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(s, "%"))
	if err != nil || n < 0 || !strings.HasPrefix(s, "%") {
		return None, fmt.Errorf("want a value %%n, found %q", s)
	}
	return Value(n), nil
}

func (p *Program) parseReturn(line string) error {
	f, err := tokens(line)
	if err != nil {
		return err
	}
	f = f[1:]
	if len(f)%2 != 0 {
		return fmt.Errorf("want pairs of name and value after return, found %q", line)
	}
	for i := 0; i < len(f); i += 2 {
		name, err := strconv.Unquote(f[i])
		if err != nil {
			return fmt.Errorf("want a quoted name, found %q", f[i])
		}
		v, err := parseValue(f[i+1])
		if err != nil {
			return err
		}
		p.Results = append(p.Results, Result{name, v})
	}
	return p.checkResults()
}

func (p *Program) parseInstr(line string) error {
	f, err := tokens(line)
	if err != nil {
		return err
	}
	if len(f) < 5 || f[1] != "=" || f[len(f)-2] != ":" {
		return fmt.Errorf("want %%n = op … : type, found %q", line)
	}
	if want := fmt.Sprintf("%%%d", len(p.Instrs)); f[0] != want {
		return fmt.Errorf("want %s next, found %q", want, f[0])
	}
	op, ok := opByName[f[2]]
	if !ok || op == Invalid {
		return fmt.Errorf("unknown op %q", f[2])
	}
	in := Instr{Op: op}
	if in.Type, err = parseType(f[len(f)-1]); err != nil {
		return err
	}
	given := attr(0)
	seen := map[string]bool{}
	for _, tok := range f[3 : len(f)-2] {
		if tok[0] == '%' && given == 0 {
			v, err := parseValue(tok)
			if err != nil {
				return err
			}
			in.Args = append(in.Args, v)
			continue
		}
		kind, err := in.parseAttr(tok)
		if err != nil {
			return err
		}
		if ops[op].attrs&kind == 0 {
			return fmt.Errorf("%s takes no %q", op, tok)
		}
		key, _, assigned := strings.Cut(tok, "=")
		if !assigned && kind != hasTrans || kind == hasName {
			key = "name or number"
		}
		if seen[key] {
			return fmt.Errorf("%s: found a second %s, %q", op, key, tok)
		}
		seen[key] = true
		given |= kind
	}
	if missing := ops[op].attrs &^ given &^ hasTrans; missing != 0 {
		return fmt.Errorf("%s: attributes missing in %q", op, line)
	}
	p.Instrs = append(p.Instrs, in)
	return p.check(len(p.Instrs) - 1)
}

func (in *Instr) parseAttr(tok string) (attr, error) {
	key, val, ok := strings.Cut(tok, "=")
	if tok[0] == '"' {
		name, err := strconv.Unquote(tok)
		in.Name = name
		return hasName, err
	}
	if !ok {
		switch tok {
		case "transA":
			in.TransA = true
			return hasTrans, nil
		case "transB":
			in.TransB = true
			return hasTrans, nil
		}
		x, err := strconv.ParseFloat(tok, 64)
		if err != nil {
			return 0, fmt.Errorf("want a number or key=value, found %q", tok)
		}
		in.Value = x
		return hasValue, nil
	}
	var err error
	pair := func(dst *[2]int) {
		var v []int
		if v, err = parseInts(val); err == nil && len(v) != 2 {
			err = fmt.Errorf("%s: want two integers, found %q", key, val)
		}
		if err == nil {
			*dst = [2]int(v)
		}
	}
	kind := hasWindow
	switch key {
	case "dims":
		in.Dims, err = parseInts(val)
		kind = hasDims
	case "lo":
		in.Lo, err = parseInts(val)
		kind = hasLoHi
	case "hi":
		in.Hi, err = parseInts(val)
		kind = hasLoHi
	case "axis":
		in.Axis, err = strconv.Atoi(val)
		kind = hasAxis
	case "stream":
		var s uint64
		s, err = strconv.ParseUint(val, 10, 32)
		in.Stream = uint32(s)
		kind = hasStream
	case "kernel":
		pair(&in.Window.Kernel)
	case "stride":
		pair(&in.Window.Stride)
	case "pad":
		pair(&in.Window.Pad)
	case "groups":
		in.Window.Groups, err = strconv.Atoi(val)
	default:
		err = fmt.Errorf("unknown attribute %q", key)
	}
	return kind, err
}
