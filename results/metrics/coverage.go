package metrics

import "math"

// The central 95 % interval lies between these quantiles, and for N(0, 1) between −z975 and z975.
const (
	lower95 = 0.025
	upper95 = 0.975
	z975    = 1.959963984540054
)

// qceLevels is the number of levels of qce15.
const qceLevels = 15

// QCELevels are the levels of qce15, 15 at equal distances from 0.05 to 0.95.
func QCELevels() []float64 {
	levels := make([]float64, qceLevels)
	for i := range levels {
		levels[i] = 0.05 + 0.9*float64(i)/(qceLevels-1)
	}
	return levels
}

// Coverage returns for each of [QCELevels] the share of targets in the central interval of that
// level, between the predictive's quantiles (1 − α)/2 and (1 + α)/2, from the distribution function
// at the targets.
func Coverage(pit []float64) []float64 {
	shares := QCELevels()
	for i, level := range shares {
		shares[i] = covered(pit, level)
	}
	return shares
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

// QCE is the quantile calibration error mean_α |ĉ(α) − α| of the shares ĉ of targets in the central
// intervals of [QCELevels]. Source: torch-uncertainty's QuantileCalibrationError; an earlier version
// of it was another number.
func QCE(shares []float64) float64 {
	sum := 0.0
	for i, level := range QCELevels() {
		sum += math.Abs(shares[i] - level)
	}
	return sum / qceLevels
}

// QCERMS is √mean_α (ĉ(α) − α)².
func QCERMS(shares []float64) float64 {
	sum := 0.0
	for i, level := range QCELevels() {
		sum += (shares[i] - level) * (shares[i] - level)
	}
	return math.Sqrt(sum / qceLevels)
}

// QCEMax is max_α |ĉ(α) − α|.
func QCEMax(shares []float64) float64 {
	top := 0.0
	for i, level := range QCELevels() {
		top = max(top, math.Abs(shares[i]-level))
	}
	return top
}
