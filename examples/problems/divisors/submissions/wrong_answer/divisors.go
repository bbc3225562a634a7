// Wrong: counts the root of a square twice.
package main

import "fmt"

func main() {
	var n, count int64
	fmt.Scan(&n)
	for d := int64(1); d*d <= n; d++ {
		if n%d == 0 {
			count += 2
		}
	}
	fmt.Println(count)
}
