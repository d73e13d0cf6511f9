"""From events to borrowers' liquidity: the pure core and the Faust app that carries it."""
