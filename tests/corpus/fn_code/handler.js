const { a, b } = event;
fs.readFileSync("/d/" + a);
db.query(`select * from t where a = ${b}`);
x(new GetObjectCommand({}));
