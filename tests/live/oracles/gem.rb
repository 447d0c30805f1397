# Lines "A B" or, with "ranges", "VERSION<tab>REQUIREMENT, REQUIREMENT" -> what RubyGems says, one answer a line.
def order(a, b)
  "<=>"[1 + (Gem::Version.new(a) <=> Gem::Version.new(b))]
rescue ArgumentError
  "?"
end

def holds(version, range)
  Gem::Requirement.new(range.empty? ? [""] : range.split(",", -1)).satisfied_by?(Gem::Version.new(version)) ? "y" : "n"
rescue ArgumentError
  "?"
end

STDIN.each_line(chomp: true) { |line| puts ARGV[0] == "ranges" ? holds(*line.split("\t", 2)) : order(*line.split(" ")) }
