package ir

// FLOPs counts the floating-point operations of the program's contractions, a
// multiplication and an addition apart, one for every element that a reduction
// reads or another op makes: what a plan's estimate of cost rests on.
func (p *Program) FLOPs() float64 {
	total := 0.0
	for i := range p.Instrs {
		in := &p.Instrs[i]
		size := float64(in.Type.Size())
		switch in.Op {
		case Param, Const, Reshape, Stop:
		case ReduceSum, ReduceMax:
			total += float64(p.Type(in.Args[0]).Size())
		case MatMul:
			x := p.Type(in.Args[0]).Shape
			k := x[1]
			if in.TransA {
				k = x[0]
			}
			total += 2 * size * float64(k)
		case Linear:
			total += 2 * size * float64(p.Type(in.Args[0]).Shape[1])
		case Conv2D, Conv2DDX, Conv2DDW:
			w, out := in.Type.Shape, in.Type
			switch in.Op {
			case Conv2D:
				w = p.Type(in.Args[1]).Shape
			case Conv2DDX:
				w, out = p.Type(in.Args[1]).Shape, p.Type(in.Args[0])
			case Conv2DDW:
				out = p.Type(in.Args[1])
			}
			total += 2 * float64(out.Size()) * float64(w[1]*w[2]*w[3])
		default:
			total += size
		}
	}
	return total
}
