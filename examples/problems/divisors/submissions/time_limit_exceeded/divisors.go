// Too slow: tries every number up to n.
package main

import "fmt"

func main() {
	var n, count int64
	fmt.Scan(&n)
	for d := int64(1); d <= n; d++ {
		if n%d == 0 {
			count += 1
		}
	}
	fmt.Println(count)
}
