// Wrong: keeps 32 bits of the sum.
package main

import "fmt"

func main() {
	var a, b int64
	fmt.Scan(&a, &b)
	fmt.Println(int32(a + b))
}
