# The parts of .ci/run, by name: `just lint`, `just test`, `just part docs`.

lint: (part "fmt") (part "clippy") (part "docs") (part "deny") (part "arrows") (part "words")

test: (part "test")

part name:
    .ci/run {{name}}
