"""The shipped problems, one a file: each describes its equation and defines `problem(**coefficients)`."""
