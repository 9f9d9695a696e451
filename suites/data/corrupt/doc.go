// Package corrupt changes test images in the manner of CIFAR-10-C, Tiny-ImageNet-C and ImageNet-C
// (Hendrycks and Dietterich 2019, "Benchmarking neural network robustness to common corruptions and
// perturbations") and of MNIST-C (Mu and Gilmer 2019, "MNIST-C: a robustness benchmark for computer
// vision"), with the published constants of five severities for each. The random numbers are our
// own, so images agree with the published sets in distribution, not in bits; frost, which pastes
// photographs, is left out. Results are rounded to bytes, where the originals truncate.
//
// A family of corruptions is one file: noise.go, blur.go, weather.go, digital.go, geometry.go.
package corrupt
