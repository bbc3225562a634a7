// Output validator: any two piles of all stones with the same weight are right.
// The answer file says only whether it can be done: "possible" or "impossible".
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "verdict.h"

// Reads one pile from a line of the output, marking its stones, and returns its weight.
long long read_pile(const std::string& name, std::vector<bool>& used, const Verdict& verdict) {
  std::string line;
  if (!std::getline(std::cin, line)) verdict.wrong("the " + name + " pile is missing");
  std::istringstream words(line);
  long long weight = 0;
  for (std::string word; words >> word;) {
    const bool digits = word.find_first_not_of("0123456789") == std::string::npos && word.size() <= 6;
    const std::size_t stone = digits ? std::stoul(word) : 0;
    if (stone < 1 || stone >= used.size()) verdict.wrong("there is no stone \"" + word.substr(0, 20) + "\"");
    if (used[stone]) verdict.wrong("stone " + word + " is used twice");
    used[stone] = true;
    weight += static_cast<long long>(stone);
  }
  return weight;
}

int main(int argc, char** argv) {
  if (argc < 4) return 1;
  const Verdict verdict(argv[3]);
  std::size_t n = 0;
  std::ifstream(argv[1]) >> n;
  std::string answer;
  std::ifstream(argv[2]) >> answer;

  std::string first;
  if (std::cin >> std::ws && std::cin.peek() == 'i') {
    std::cin >> first;
    if (first != "impossible") verdict.wrong("unexpected word \"" + first.substr(0, 20) + "\"");
    if (answer != "impossible") verdict.wrong("it can be done");
  } else {
    std::vector<bool> used(n + 1, false);
    const long long left = read_pile("first", used, verdict);
    const long long right = read_pile("second", used, verdict);
    for (std::size_t stone = 1; stone <= n; stone++) {
      if (!used[stone]) verdict.wrong("stone " + std::to_string(stone) + " is on no pile");
    }
    if (left != right) {
      verdict.wrong("the piles weigh " + std::to_string(left) + " and " + std::to_string(right));
    }
    if (answer == "impossible") return 1;  // the jury's answer is wrong: not the program's fault
  }
  std::string rest;
  if (std::cin >> rest) verdict.wrong("there is output after the answer");
  verdict.accept();
}
