"""A process for each framework: start, messages, large arrays by file, death."""
