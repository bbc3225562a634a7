echo 'Hello World!'
