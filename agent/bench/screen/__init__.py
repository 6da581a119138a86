"""How well the elements of a screenshot are told apart: on drawn ones, whose elements are known."""
