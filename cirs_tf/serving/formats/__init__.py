"""A segmenter as a file for other runtimes: Keras, ONNX, LiteRT, OpenVINO."""
