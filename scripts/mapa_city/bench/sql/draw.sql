create temp macro draw(i, what, below) as cast(hash(i, what) % below as integer);
