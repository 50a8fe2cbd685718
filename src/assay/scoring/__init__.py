"""The trusted half: what was handed over becomes a verdict and a certificate."""
