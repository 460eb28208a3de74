"""Project 7: named studios and their service lines (五室联动、五线联治), and the joint mediation centre they share."""
