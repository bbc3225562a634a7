<?php echo "Goodbye World!\n";
