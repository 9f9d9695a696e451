package all

import (
	_ "bayesbench/methods/darkknowledge"
	_ "bayesbench/methods/deterministic"
	_ "bayesbench/methods/distill"
	_ "bayesbench/methods/dropout"
	_ "bayesbench/methods/ensemble"
	_ "bayesbench/methods/external"
	_ "bayesbench/methods/ffg"
	_ "bayesbench/methods/hmc"
	_ "bayesbench/methods/laplace"
	_ "bayesbench/methods/prune"
	_ "bayesbench/methods/sgmcmc"
	_ "bayesbench/methods/snapshot"
	_ "bayesbench/methods/sparsevd"
	_ "bayesbench/methods/svgd"
	_ "bayesbench/methods/swag"
	_ "bayesbench/methods/vdropout"
)
