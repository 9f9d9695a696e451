// Package onnx reads networks from ONNX files, such as torch.onnx.export writes, as models of
// package nn. Every weight goes through [nn.Layers], so every method runs on such a network.
//
// [Read] takes a file, wire.go and tensor.go its encoding, graph.go what is known of the graph
// before any shape, and apply.go builds a program from it, node by node; ops.go, shapes.go and
// window.go hold the ops. A node that is not understood is refused with its name, its op and the
// reason.
//
// The field numbers and the meaning of the ops are those of the ONNX specification
// (https://onnx.ai/onnx/), opsets 13 to 20.
package onnx
