"""The checker of ports is checked: true ports of many architectures, and faults seeded into them."""
