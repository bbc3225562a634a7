// @EXPECTED_RESULTS@: COMPILER-ERROR
// Does not compile: a quote is missing.
package main

import "fmt"

func main() {
	fmt.Println("Hello World!)
}
