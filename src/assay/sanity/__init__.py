"""What any model of compositions must do, tried on drawn ones."""
