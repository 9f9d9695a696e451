package metrics

import (
	"math"

	"bayesbench/results"
)

// The central 95 % interval lies between these quantiles, and for N(0, 1) between −z975 and z975.
const (
	lower95 = 0.025
	upper95 = 0.975
	z975    = 1.959963984540054
)

// QCELevels are the levels of qce15, 15 at equal distances from 0.05 to 0.95.
func QCELevels() []float64 {
	levels := make([]float64, 15)
	for i := range levels {
		levels[i] = 0.05 + 0.9*float64(i)/float64(len(levels)-1)
	}
	return levels
}

// coverage is the shares of targets in the predictive's central intervals of [QCELevels], each
// between the quantiles (1 − α)/2 and (1 + α)/2, from the distribution function at the targets.
func coverage(samples int, pit []float64) results.Coverage {
	c := results.Coverage{Samples: samples, Targets: len(pit), Levels: QCELevels()}
	for _, level := range c.Levels {
		c.Shares = append(c.Shares, covered(pit, level))
	}
	return c
}

// covered is the share of targets in the closed central interval of a level.
func covered(pit []float64, level float64) float64 {
	inside := 0
	for _, p := range pit {
		if math.Abs(2*p-1) <= level {
			inside++
		}
	}
	return float64(inside) / float64(len(pit))
}

// QCE is the quantile calibration error mean_α |ĉ(α) − α| of the shares ĉ of targets in central
// intervals of the levels α, [QCELevels] for qce15. Source: torch-uncertainty's
// QuantileCalibrationError; an earlier version of it was another number.
func QCE(c results.Coverage) float64 {
	sum := 0.0
	for i, level := range c.Levels {
		sum += math.Abs(c.Shares[i] - level)
	}
	return sum / float64(len(c.Levels))
}

// QCERMS is √mean_α (ĉ(α) − α)².
func QCERMS(c results.Coverage) float64 {
	sum := 0.0
	for i, level := range c.Levels {
		sum += (c.Shares[i] - level) * (c.Shares[i] - level)
	}
	return math.Sqrt(sum / float64(len(c.Levels)))
}

// QCEMax is max_α |ĉ(α) − α|.
func QCEMax(c results.Coverage) float64 {
	top := 0.0
	for i, level := range c.Levels {
		top = max(top, math.Abs(c.Shares[i]-level))
	}
	return top
}

// Coverage is the reliability of the mixture at [QCELevels], from which qce15 is.
func (e *GaussianEvaluation) Coverage() results.Coverage { return coverage(e.K, e.PIT) }

// The histogram of residuals reaches from −residualsTo to residualsTo standard deviations.
const (
	residualsTo  = 5
	residualBins = 40
)

// Residuals counts the standardised residuals (y − Mean)/√Variance in 40 bins of equal width from
// −5 to 5; what lies outside counts in the outermost. If the predictive is right and Gaussian, they
// are N(0, 1). Data is the set that the targets are of.
func (e *GaussianEvaluation) Residuals(data string) results.Histogram {
	h := results.Histogram{Quantity: "residual", Data: data, Samples: e.K, Counts: make([]int, residualBins)}
	for i := range residualBins + 1 {
		h.Edges = append(h.Edges, 2*residualsTo*float64(i)/residualBins-residualsTo)
	}
	for i, y := range e.Targets {
		z := (y - e.Mean[i]) / math.Sqrt(e.Variance[i])
		at := math.Floor((z/residualsTo + 1) / 2 * residualBins)
		h.Counts[int(min(max(at, 0), residualBins-1))]++
	}
	return h
}
