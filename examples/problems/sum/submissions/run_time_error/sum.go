// Crashes: panics on numbers beyond 32 bits.
package main

import (
	"fmt"
	"strconv"
)

func number() int64 {
	var text string
	fmt.Scan(&text)
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		panic(err)
	}
	return n
}

func main() {
	fmt.Println(number() + number())
}
