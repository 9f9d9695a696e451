package dropout

import "bayesbench/methods"

// siteRate is the rate of a site: the method's key p, or else the one published
// with the network, or else 0.5.
func siteRate(p *float64, published float64) float64 {
	switch {
	case p != nil:
		return *p
	case published == 0:
		return 0.5
	default:
		return published
	}
}

func checkRate(p *float64) error {
	if p != nil && !(*p >= 0 && *p < 1) {
		return methods.BadKey("p", *p, "a dropout rate in [0, 1)")
	}
	return nil
}
