// Too slow: counts up to the sum one by one.
package main

import "fmt"

func main() {
	var a, b int64
	fmt.Scan(&a, &b)
	for ; b > 0; b-- {
		a++
	}
	for ; b < 0; b++ {
		a--
	}
	fmt.Println(a)
}
