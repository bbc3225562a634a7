echo 'Goodbye World!'
