module oracle

go 1.22.0

require (
	github.com/bitnami/go-version v0.0.0-20250505154626-452e8c5ee607
	github.com/knqyf263/go-apk-version v0.0.0-20200609155635-041fdbb8563f
	golang.org/x/mod v0.22.0
)

require (
	github.com/aquasecurity/go-version v0.0.0-20210121072130-637058cfe492 // indirect
	golang.org/x/xerrors v0.0.0-20200804184101-5ec99f83aff1 // indirect
)
