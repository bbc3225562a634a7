// Crashes: the exit code says that something went wrong, whatever was printed.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Println("Hello World!")
	os.Exit(1)
}
