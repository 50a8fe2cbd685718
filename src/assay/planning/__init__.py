"""What a sealed set can decide, told before there is a model."""
