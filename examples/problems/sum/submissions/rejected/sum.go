// @EXPECTED_RESULTS@: COMPILER-ERROR
// Does not compile: Go refuses an import that is not used.
package main

import (
	"fmt"
	"os"
)

func main() {
	var a, b int64
	fmt.Scan(&a, &b)
	fmt.Println(a + b)
}
