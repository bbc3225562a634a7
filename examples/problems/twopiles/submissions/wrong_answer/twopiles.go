// Wrong: odd stones left, even stones right, and the piles differ.
package main

import (
	"bufio"
	"fmt"
	"os"
)

func main() {
	var n int
	fmt.Scan(&n)
	if n*(n+1)/2%2 != 0 {
		fmt.Println("impossible")
		return
	}
	left := make([]bool, n+1)
	for i := 1; i <= n; i += 2 {
		left[i] = true
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for _, side := range []bool{true, false} {
		for i := 1; i <= n; i++ {
			if left[i] == side {
				fmt.Fprint(out, i, " ")
			}
		}
		fmt.Fprintln(out)
	}
}
