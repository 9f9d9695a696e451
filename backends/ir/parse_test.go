package ir_test

import (
	"math"
	"strings"
	"testing"

	"bayesbench/backends/backendtest"
	"bayesbench/backends/ir"
	"bayesbench/internal/alloctest"
)

// Every error names the line, what was found and what was expected.
func TestParseErrors(t *testing.T) {
	x := "program p\n%0 = param \"x\" : f32[2 3]\n"
	for _, c := range []struct{ text, want string }{
		{"", `line 1: want return at the end, found none`},
		{"program p\n\n# a comment\n", `line 4: want return at the end, found none`},
		{"return", `line 1: want program NAME, found "return"`},
		{"program  \nreturn", `line 1: want program NAME, found "program"`},
		{"program p\nreturn\nreturn", `line 3: nothing may follow return, found "return"`},
		{"program p\nhello", `line 2: want %n = op … : type, found "hello"`},
		{"program p\n%0 = const 1 f32[]", `line 2: want %n = op … : type, found "%0 = const 1 f32[]"`},
		{x + "%0 = exp %0 : f32[2 3]", `line 3: want %1 next, found "%0"`},
		{x + "%1 = expp %0 : f32[2 3]", `line 3: unknown op "expp"`},
		{x + "%1 = invalid %0 : f32[2 3]", `line 3: unknown op "invalid"`},
		{x + "%1 = exp %1 : f32[2 3]", `line 3: operand %1 does not come before %1`},
		{x + "%1 = exp %9 : f32[2 3]", `line 3: operand %9 does not come before %1`},
		{x + "%1 = exp %-1 : f32[2 3]", `line 3: want a value %n, found "%-1"`},
		{x + "%1 = exp 0 : f32[2 3]", `line 3: exp takes no "0"`},
		{x + "%1 = exp : f32[2 3]", `line 3: takes 1 operands, found 0`},
		{x + "%1 = exp %0 %0 : f32[2 3]", `line 3: takes 1 operands, found 2`},
		{x + "%1 = exp %0 : f32[2]", `line 3: type is f32[2 3], found f32[2]`},
		{x + "%1 = exp %0 : f16[2 3]", `line 3: type "f16[2 3]": want f32[…] or u32[…]`},
		{x + "%1 = exp %0 : f32", `line 3: type "f32": want [n n …], found ""`},
		{x + "%1 = exp %0 : f32[2 x]", `line 3: type "f32[2 x]": want an integer, found "x"`},
		{x + "%1 = exp %0 : f32[2 3", `line 3: want a closed list, found "f32[2 3"`},
		{x + "%1 = exp %0 : f32[2 -3]", `line 3: negative dimension in shape [2 -3]`},
		{x + "%1 = param \"x\" : f32[]", `line 3: param: name "x" is taken`},
		{x + "%1 = param \"\" : f32[]", `line 3: want a name`},
		{x + "%1 = param \"y : f32[]", `line 3: want a closed string, found "\"y : f32[]"`},
		{x + "%1 = const : f32[]", `line 3: const: attributes missing in "%1 = const : f32[]"`},
		{x + "%1 = const one : f32[]", `line 3: want a number or key=value, found "one"`},
		{x + "%1 = const 1 2 : f32[]", `line 3: const: found a second name or number, "2"`},
		{x + "%1 = const 1 : u32[]", `line 3: want f32, found u32[]`},
		{x + "%1 = exp %0 dims=[1] : f32[2 3]", `line 3: exp takes no "dims=[1]"`},
		{x + "%1 = transpose %0 : f32[3 2]", `line 3: transpose: attributes missing in "%1 = transpose %0 : f32[3 2]"`},
		{x + "%1 = transpose %0 dims=[1 1] : f32[3 2]", `line 3: dims [1 1] are no permutation of the axes of f32[2 3]`},
		{x + "%1 = transpose %0 dims=[1 0] dims=[0 1] : f32[3 2]", `line 3: transpose: found a second dims, "dims=[0 1]"`},
		{x + "%1 = transpose %0 dim=[1 0] : f32[3 2]", `line 3: unknown attribute "dim"`},
		{x + "%1 = transpose %0 dims=1 : f32[3 2]", `line 3: want [n n …], found "1"`},
		{x + "%1 = reduce_sum %0 dims=[1 0] : f32[]", `line 3: dims [1 0]: want rising axes of f32[2 3]`},
		{x + "%1 = reshape %0 : f32[5]", `line 3: cannot make f32[5] of f32[2 3]`},
		{x + "%1 = slice %0 lo=[0 0] hi=[2 4] : f32[2 4]", `line 3: axis 1: [0, 4) is not within f32[2 3]`},
		{x + "%1 = pad %0 lo=[0 -1] hi=[0 0] : f32[2 2]", `line 3: axis 1: cannot pad by -1 and 0`},
		{x + "%1 = matmul %0 %0 : f32[2 2]", `line 3: inner dimensions differ: f32[2 3] and f32[2 3]`},
		{x + "%1 = uniform %0 stream=0 : f32[2]", `line 3: operand 0: want u32, found f32[2 3]`},
		{"program p\n%0 = param \"k\" : u32[4]\n%1 = normal %0 stream=0 : f32[2]", `line 3: key: want u32[2], or u32[3] with the number of the first row, found u32[4]`},
		{"program p\n%0 = param \"k\" : u32[3]\n%1 = normal %0 stream=0 : f32[]", `line 3: key: u32[3] says which row is the first, and f32[] has no rows`},
		{x + "%1 = avgpool %0 kernel=[1 1] stride=[1 1] pad=[0 0] : f32[2 3]", `line 3: want x[n c h w], found f32[2 3]`},
		{"program p\n%0 = param \"k\" : u32[2]\n%1 = uniform %0 stream=4294967296 : f32[2]", `line 3: strconv.ParseUint: parsing "4294967296": value out of range`},
		{x + "return \"y\"", `line 3: want pairs of name and value after return, found "return \"y\""`},
		{x + "return y %0", `line 3: want a quoted name, found "y"`},
		{x + "return \"y\" 0", `line 3: want a value %n, found "0"`},
		{x + "return \"y\" %1", `line 3: return "y": no value %1`},
		{x + "return \"y\" %0 \"y\" %0", `line 3: return "y": name is taken`},
	} {
		if _, err := ir.Parse(c.text); err == nil || err.Error() != c.want {
			t.Errorf("%s\nfound %v\nwant  %s", c.text, err, c.want)
		}
	}
}

// hostile are programs that ask for more than there is, some by numbers that
// overflow.
var hostile = []string{
	`%0 = const 0 : f32[131072 131072 2]`,
	`%0 = const 0 : f32[9223372036854775807 9223372036854775807]`,
	`%0 = const 0 : f32[4294967296 4294967296 4294967296]`,
	`%0 = const 0 : f32[0 9223372036854775807]`,
	`%0 = const 0 : f32[99999999999999999999]`,
	"%0 = const 0 : f32[1]\n%1 = broadcast %0 dims=[0] : f32[1 17179869185]",
	"%0 = const 0 : f32[1]\n%1 = pad %0 lo=[17179869184] hi=[17179869184] : f32[34359738369]",
	"%0 = const 0 : f32[1]\n%1 = pad %0 lo=[9223372036854775807] hi=[0] : f32[-9223372036854775808]",
	"%0 = const 0 : f32[17179869184]\n%1 = concat %0 %0 axis=0 : f32[34359738368]",
	"%0 = param \"i\" : u32[17179869184]\n%1 = onehot %0 : f32[17179869184 2]",
	"%0 = const 0 : f32[17179869184 1]\n%1 = matmul %0 %0 transB : f32[17179869184 17179869184]",
	"%0 = const 0 : f32[1 1 1 1]\n%1 = maxpool %0 kernel=[9223372036854775807 1] stride=[1 1] pad=[0 0] : f32[1 1 1 1]",
	"%0 = const 0 : f32[1 1 1 1]\n%1 = avgpool %0 kernel=[1 1] stride=[0 1] pad=[0 0] : f32[1 1 1 1]",
	"%0 = const 0 : f32[1 1 1 1]\n%1 = conv2d %0 %0 stride=[1 1] pad=[9223372036854775807 0] groups=1 : f32[1 1 1 1]",
	"%0 = const 0 : f32[1 1 1 1]\n%1 = conv2d %0 %0 stride=[1 1] pad=[0 0] groups=0 : f32[1 1 1 1]",
	// 4·(2⁶²+1) is 4 in 64 bits.
	"%0 = const 0 : f32[1 4 1 1]\n%1 = const 0 : f32[0 4 1 1]\n%2 = conv2d %0 %1 stride=[1 1] pad=[0 0] groups=4611686018427387905 : f32[1 0 1 1]",
}

func TestHostileSizesAreRefused(t *testing.T) {
	for _, text := range hostile {
		if p, err := ir.Parse("program p\n" + text + "\nreturn"); err == nil {
			t.Errorf("accepted\n%s", p)
		}
	}
}

func TestValidateName(t *testing.T) {
	for _, name := range []string{"", " p", "p\n", "p\nreturn"} {
		if _, err := ir.Build(name, func(*ir.Builder) {}); err == nil {
			t.Errorf("name %q: want an error, found none", name)
		}
	}
}

// Whatever Parse reads, it does not panic; what it accepts is valid, is written
// and read back as the same text, and stands all that is done to a program.
// The seeds are long: run it with -fuzzminimizetime=5x.
func FuzzProgram(f *testing.F) {
	for seed := range uint32(20) {
		f.Add(backendtest.RandomProgram(seed).String())
	}
	for _, text := range hostile {
		f.Add("program p\n" + text + "\nreturn")
	}
	f.Fuzz(func(t *testing.T, text string) {
		var p *ir.Program
		var err error
		alloctest.AtMost(t, 1<<20+1<<10*len(text), func() { p, err = ir.Parse(text) })
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") {
				t.Errorf("an error without its line: %v", err)
			}
			return
		}
		if err := p.Validate(); err != nil {
			t.Fatalf("Parse accepted what Validate does not: %v", err)
		}
		written := p.String()
		q, err := ir.Parse(written)
		if err != nil {
			t.Fatalf("not read back: %v\n%s", err, written)
		}
		if q.String() != written {
			t.Fatalf("read back:\n%s\nwritten:\n%s", q, written)
		}
		for about, r := range map[string]*ir.Program{"clean": ir.Clean(p), "expand": ir.Expand(p, none)} {
			if err := r.Validate(); err != nil {
				t.Fatalf("%s: %v", about, err)
			}
		}
		if n := p.FLOPs(); n < 0 || math.IsNaN(n) {
			t.Errorf("FLOPs: %v", n)
		}
	})
}

// Random programs, with the seed for input: all that TestRewritesKeepTheResults
// asks, of as many as there is time for.
func FuzzRandomPrograms(f *testing.F) {
	f.Add(uint32(0))
	f.Fuzz(func(t *testing.T, seed uint32) {
		c := backendtest.RandomCase(seed)
		args := arguments(c)
		same(t, "expanded", c.Program, ir.Expand(c.Program, none), args, 1e-12)
		same(t, "cleaned", c.Program, ir.Clean(c.Program), args, 0)
	})
}
