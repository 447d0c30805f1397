#!/usr/bin/env bats
# `bulkhead check` of functions: what a file leaves open, what is broken, own policies. The checks themselves: serverless.py.
load common

export SOURCE_DATE_EPOCH=1795737600 # 2026-11-27

# report FILE OPTION...: one "id file:line evidence" per finding, and "? field" per thing that was not checked.
report() {
	"$BULKHEAD" check --fail-on never -f json "$@" >report.json 2>stderr.txt || [ $? -eq 3 ]
	python3 - <<'END'
import json, re
r = json.load(open("report.json"))
for f in r["findings"]:
    print(f["id"], f"{f['paths'][0]}:{f['line']}", f["evidence"])
for i in r["incomplete"]:
    print("?", re.sub(r": '.*", "", i["reason"]))
END
}

template() {
	cat >template.yaml <<'END'
AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Runtime: {Type: String}
  Stage: {Type: String, Default: dev}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Resources:
  Api:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: !Ref Runtime
      Timeout: 10
      Environment: {Variables: {PASSWORD: !If [IsProd, '{{resolve:secretsmanager:x}}', hunter2]}}
      Role: !ImportValue role
END
}

@test "what a parameter or an import leaves open is not checked, and says where" {
	template
	run report template.yaml
	[[ $output == *"fn-secret-in-env template.yaml:13 Function Api: Resources.Api.Properties.Environment.Variables.PASSWORD"* ]]
	[[ $output == *"? line 11: policy fn-runtime-end-of-life on Function Api: Resources.Api.Properties.Runtime"* ]]
	[[ $output == *"? line 14: policy fn-role-wildcard on Function Api: Resources.Api.Properties.Role"* ]]
	[[ $output != *"fn-runtime-end-of-life template.yaml"* ]]
	run bulkhead check --severity critical --fail-on critical template.yaml
	[ "$status" -eq 3 ]
}

@test "what is there or not by a condition that is open is not checked, and not passed" {
	cat >open.yaml <<'END'
AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Key: {Type: String}
  Tag: {Type: String}
Resources:
  Api:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      KmsKeyArn: !Ref Key
      CodeSigningConfigArn: !Ref Key
      ReservedConcurrentExecutions: !Ref Key
      DeadLetterConfig: {TargetArn: !Ref Key}
      Environment: {Variables: {A: b}}
  Image:
    Type: AWS::Lambda::Function
    Properties:
      PackageType: Image
      Code: {ImageUri: !Sub 'registry.example/api:${Tag}'}
END
	run report open.yaml
	for check in fn-env-key fn-code-signing fn-limits fn-image-tag; do
		[[ $output == *"policy $check on Function "* ]] || { echo "$check is not told"; return 1; }
	done
	[[ $output != *"fn-image-tag open.yaml"* && $output != *"fn-env-key open.yaml"* ]]
}

@test "a default decides a condition" {
	template
	sed -i 's/Default: dev/Default: prod/' template.yaml
	run report template.yaml
	[[ $output != *"fn-secret-in-env"* ]]
}

@test "runtimes end on a day: the report's" {
	template
	sed -i "s/Runtime: !Ref Runtime/Runtime: python3.11/" template.yaml
	[[ $(report template.yaml) != *"fn-runtime-end-of-life"* ]]
	SOURCE_DATE_EPOCH=1814486400 # 2027-07-02
	[[ $(report template.yaml) == *"fn-runtime-end-of-life template.yaml:11"* ]]
}

@test "--no-hardening leaves the policies about functions out; own ones are asked" {
	template
	cat >policy.yaml <<'END'
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: short-timeouts}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [bulkhead.io], apiVersions: [v1], operations: [CREATE], resources: [functions]}
  validations:
  - {expression: "object.spec.?timeoutSeconds.orValue(3) <= 5", message: too long}
END
	run report --no-hardening -p policy.yaml template.yaml
	[ "$output" = "short-timeouts template.yaml:12 Function Api: Resources.Api.Properties.Timeout" ]
}

@test "variables of the Serverless Framework: nested, default, circular, open" {
	cat >serverless.yml <<'END'
service: s
provider: {name: aws, runtime: "${self:custom.runtime.${opt:stage, 'dev'}}"}
custom:
  runtime: {dev: nodejs12.x}
  loop: ${self:custom.loop}
functions:
  a:
    handler: x.y
    timeout: ${self:custom.loop}
    memorySize: ${file(sizes.yml):big}
    role: ${cf:other.Role}
END
	run report serverless.yml
	[[ $output == *"fn-runtime-end-of-life serverless.yml:2 Function a: provider.runtime"* ]]
	[[ $output == *"? line 9: policy fn-limits on Function a: functions.a.timeout"* ]]
	[[ $output == *"? line 10: policy fn-limits on Function a: functions.a.memorySize"* ]]
	[[ $output == *"? line 11: policy fn-role-wildcard on Function a: functions.a.role"* ]]
}

@test "functions of another file are not checked, and not passed" {
	# shellcheck disable=SC2016 # the variable is serverless.yml's
	printf 'service: s\nprovider: {name: aws}\nfunctions: ${file(functions.yml)}\n' >serverless.yml
	run bulkhead check serverless.yml
	[ "$status" -eq 3 ]
	[[ $output == *"the functions stand in another file"* ]]
}

@test "a template without functions, a broken one, and strange types" {
	printf 'AWSTemplateFormatVersion: "2010-09-09"\nResources: {Q: {Type: AWS::SQS::Queue}}\n' >queue.yaml
	run bulkhead check queue.yaml
	fails 2 "no function"
	printf 'AWSTemplateFormatVersion: "2010-09-09"\nResources: {F: {Type: AWS::Lambda::Function, Properties: [1]}}\n' >odd.yaml
	run bulkhead check odd.yaml
	[ "$status" -le 3 ]
	[[ $output == *"1 object"* ]]
	printf 'Resources:\n  F: {Type: AWS::Lambda::Function\n' >broken.yaml
	run bulkhead check broken.yaml
	[ "$status" -eq 3 ]
	[[ $output == *"NOT CHECKED"* ]]
}

# zipped FILE PYTHON: a zip archive, made by Python's zipfile.
zipped() {
	python3 -c "import zipfile
with zipfile.ZipFile('$1', 'w', zipfile.ZIP_DEFLATED) as z:
    $2"
}

packages() {
	"$BULKHEAD" sbom "$1" | python3 -c "import json, sys; print(*sorted(c['name'] + '@' + c['version'] for c in json.load(sys.stdin)['components'] if 'version' in c))"
}

@test "the code of a function: packages of a zip archive" {
	zipped function.zip "
    z.writestr('app.py', 'def handler(e, c): pass')
    z.writestr('requests-2.19.1.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: requests\\nVersion: 2.19.1\\n')
    z.writestr('./node_modules/lodash/package.json', '{\"name\":\"lodash\",\"version\":\"4.17.4\"}')"
	[ "$(packages function.zip)" = "lodash@4.17.4 requests@2.19.1" ]
	[ "$(packages zip:function.zip)" = "lodash@4.17.4 requests@2.19.1" ]
	mv function.zip layer
	run bulkhead scan zip:layer
	[ "$status" -eq 3 ]
	[[ $output == *"layer (zip)"* ]]
}

@test "a zip archive that is cut off, one that is none, a folder, nothing" {
	zipped function.zip "
    z.writestr('requests-2.19.1.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: requests\\nVersion: 2.19.1\\n')
    z.writestr('b/package.json', 'x' * 500)"
	head -c 150 function.zip >cut.zip
	run bulkhead scan cut.zip
	[ "$status" -eq 3 ]
	[[ $output == *"zip archive ends too early"* ]]
	echo hello >text.zip
	run bulkhead scan text.zip
	[ "$status" -eq 3 ]
	[[ $output == *"damaged zip archive"* ]]
	run bulkhead scan zip:.
	fails 2 "is a folder"
	run bulkhead scan zip:missing.zip
	fails 2 "no such file"
}

# plan REFERENCES: a plan with a permission whose source_arn is only known after apply, and an alias at a literal version.
plan() {
	cat >plan.json <<END
{"format_version": "1.2", "terraform_version": "1.9.0",
 "planned_values": {"root_module": {"resources": [
  {"address": "aws_lambda_function.f", "mode": "managed", "type": "aws_lambda_function", "name": "f", "values": {"function_name": "f", "runtime": "python3.13"}},
  {"address": "aws_lambda_permission.p", "mode": "managed", "type": "aws_lambda_permission", "name": "p",
   "values": {"function_name": "f", "action": "lambda:InvokeFunction", "principal": "s3.amazonaws.com"}},
  {"address": "aws_lambda_alias.a", "mode": "managed", "type": "aws_lambda_alias", "name": "a", "values": {"name": "prod", "function_name": "f", "function_version": "3"}}]}},
 "resource_changes": [
  {"address": "aws_lambda_permission.p", "mode": "managed", "type": "aws_lambda_permission", "name": "p",
   "change": {"actions": ["create"], "before": null, "after": {}, "after_unknown": {"source_arn": true}}}],
 "configuration": {"root_module": {"resources": [
  {"address": "aws_lambda_permission.p", "mode": "managed", "type": "aws_lambda_permission", "name": "p", "expressions": {"source_arn": {"references": $1}}},
  {"address": "aws_lambda_alias.a", "mode": "managed", "type": "aws_lambda_alias", "name": "a", "expressions": {"function_version": {"constant_value": "3"}}}]}}}
END
}

@test "an argument known after apply is set when resources make it, and open when a variable or a module may leave it out" {
	plan '["aws_s3_bucket.b.arn", "aws_s3_bucket.b"]'
	run report plan.json
	[[ $output != *"fn-permission-source"* ]]
	[[ $output == *"fn-stale-alias plan.json:6 "* ]]
	plan '["data.aws_s3_bucket.b.arn"]'
	run report plan.json
	[[ $output != *"fn-permission-source"* ]]
	for open in '["var.arn"]' '["local.arn"]' '["module.m.arn", "module.m"]' '["var.on", "aws_s3_bucket.b.arn", "aws_s3_bucket.b"]' '[]'; do
		plan "$open"
		run report plan.json
		[[ $output == *": policy fn-permission-source on Function aws_lambda_function.f"* ]] || { echo "$open: $output"; false; }
		[[ $output != *"fn-permission-source plan.json"* ]]
	done
}

# azure KIND LANGUAGE VERSION
azure() {
	printf '{"format_version": "1.2", "planned_values": {"root_module": {"resources": [{"address": "%s.f", "type": "%s", "name": "f",
	"values": {"https_only": true, "site_config": [{"application_stack": [{"%s_version": "%s"}]}]}}]}}}' "$1" "$1" "$2" "$3" >plan.json
}

# google RUNTIME
google() {
	printf '{"format_version": "1.2", "planned_values": {"root_module": {"resources": [{"address": "google_cloudfunctions_function.f",
	"type": "google_cloudfunctions_function", "name": "f", "values": {"runtime": "%s"}}]}}}' "$1" >plan.json
}

# ended YES-OR-NO: does the runtime of plan.json get no security updates on the day, 2026-11-27?
ended() {
	run report plan.json
	[[ $1 == no || $output == *"fn-runtime-end-of-life"* ]]
	[[ $1 == yes || $output != *"fn-runtime-end-of-life"* ]]
}

@test "ends of Azure's and Google's runtimes, as their pages name them" {
	while read -r kind language version expected; do
		azure "azurerm_${kind}_function_app" "$language" "$version"
		ended "$expected" || { echo "$language $version: $output"; false; }
	done <<-'END'
		linux node 18 yes
		windows node ~20 yes
		linux node 22 no
		linux python 3.9 yes
		linux python 3.10 yes
		linux python 3.11 no
		windows dotnet v8.0 yes
		linux dotnet 10.0 no
		windows java 1.8 no
		linux java 21 no
		linux powershell_core 7.2 yes
	END
	azure azurerm_linux_function_app node 98
	run report plan.json
	[[ $output == *": policy fn-runtime-end-of-life on"* ]]
	while read -r runtime expected; do
		google "$runtime"
		ended "$expected" || { echo "$runtime: $output"; false; }
	done <<-'END'
		python39 yes
		python310 yes
		python311 no
		go123 yes
		go124 no
		java11 yes
		java17 no
		ruby32 yes
		ruby34 no
		php81 yes
		php82 no
		dotnet8 yes
		dotnet10 no
	END
}

@test "SAM's policy templates: what is wide, given too much, and not known" {
	for policy in 'S3CrudPolicy: {BucketName: b}' 'EC2DescribePolicy: {}' 'AthenaQueryPolicy: {WorkGroupName: w}' 'EKSDescribePolicy: {}' 'TextractPolicy: {}' \
		"SQSPollerPolicy: {QueueName: '*'}" 'BrandNewPolicy: {}'; do
		printf 'Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Policies:\n      - %s\n' "$policy" >t.yaml
		run report t.yaml
		case $policy in
		EKS* | Textract* | SQS*) [[ $output == *"fn-role-wildcard t.yaml:7"* ]] || { echo "$policy: $output"; false; } ;;
		*) [[ $output != *"fn-role-wildcard t.yaml"* ]] || { echo "$policy: $output"; false; } ;;
		esac
		case $policy in
		Brand*) [[ $output == *": policy fn-role-wildcard on"* ]] ;;
		*) [[ $output != *": policy fn-role-wildcard on"* ]] ;;
		esac
	done
}

@test "packages in a function's archive are found by scan; check says that it did not look at the code" {
	mkdir -p node_modules/lodash
	echo '{"name": "lodash", "version": "4.17.20"}' >node_modules/lodash/package.json
	python3 -m zipfile -c function.zip node_modules
	run bulkhead scan -f csv --list-all-packages function.zip
	[ "$status" -ne 2 ]
	run bulkhead sbom function.zip
	[[ $output == *"pkg:npm/lodash@4.17.20"* ]]
	template
	run bulkhead check template.yaml
	[[ $output == *"code of 1 function not read"* ]]
}

# inline LINE...: the ids of what is said about code that consists of these lines.
inline() {
	{
		printf 'Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n      Runtime: %s\n      Handler: index.handler\n      Code:\n        ZipFile: |\n' "${runtime:-python3.13}"
		printf '          %s\n' "$@"
	} >inline.yaml
	report inline.yaml | sed -n 's/^\(fn-[a-z-]*\) inline.yaml:8 .*/\1/p' | grep -E 'injection|secret' | sort -u | tr '\n' ' '
}

@test "code in a template: event data that reaches a shell, a query or a path; secrets" {
	[ "$(inline 'os.system("ls " + event["x"])')" = "fn-code-injection " ]
	[ "$(inline 'x = event["x"]' 'os.system("ls " + x)')" = "fn-code-injection " ]
	[ "$(runtime=nodejs22.x inline 'const x = event.body' 'require("child_process").execSync("ls " + x)')" = "fn-code-injection " ]
	[ "$(inline 'subprocess.run("ls " + event["x"], shell=True)')" = "fn-code-injection " ]
	[ "$(inline 'eval(event.code)')" = "fn-code-injection " ]
	[ "$(inline 'db.execute(f"SELECT * FROM t WHERE n = {event}")')" = "fn-code-injection " ]
	[ "$(inline 'db.query("delete from t where n = " + event.name)')" = "fn-code-injection " ]
	[ "$(inline 'open("/data/" + event["f"])')" = "fn-code-injection " ]
	[ "$(runtime=nodejs22.x inline 'fs.readFileSync(event.path)')" = "fn-code-injection " ]
	[ "$(runtime=nodejs22.x inline 'const re = /x/.exec(event.path)')" = "" ]
	[ "$(inline 'subprocess.run(["ls", event["x"]])')" = "" ]
	[ "$(inline 'db.execute("SELECT * FROM t WHERE n = %s" % event["n"])')" = "fn-code-injection " ]
	[ "$(inline 'db.query(`select * from t where n = ${event.name}`)')" = "fn-code-injection " ]
	[ "$(inline 'db.execute("SELECT * FROM t WHERE n = %s", (event["n"],))')" = "" ]
	[ "$(inline 'db.execute("SELECT * FROM t WHERE n = ?", (event["n"],))')" = "" ]
	[ "$(inline 'y = x' 'os.system("ls " + y)')" = "" ]
	[ "$(inline 'if event == 1: os.system("ls")')" = "" ]
	[ "$(inline 'api_key = "0123456789abcdef"')" = "fn-secret-in-code " ]
	[ "$(inline 'k = "AKIAIOSFODNN7EXAMPLE"')" = "fn-secret-in-code " ]
	[ "$(inline 'api_key = os.environ["API_KEY"]' 'password = "${Password}"' 'token = ""')" = "" ]
	[ "$(inline 'open("/tmp/credentials.json", "w")')" = "fn-temporary-secret " ]
	[ "$(inline 'open("/tmp/picture.png", "w")')" = "" ]
}
