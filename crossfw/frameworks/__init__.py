"""What each framework needs around it: import, threads, devices, CUDA libraries, versions."""
