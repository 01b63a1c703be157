"""`.params`, symbols and safetensors, read and written without a framework; conversion for a torch module."""
