print "Goodbye World!\n";
