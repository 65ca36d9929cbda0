// On the first start of the server: the user of the board, who may use its database and no other.
// The image's script runs it as root.
db.getSiblingDB("admin").createUser({
    user: "jobboard",
    pwd: require("fs").readFileSync("/run/secrets/password", "utf8").trim(),
    roles: [{ role: "readWrite", db: "jobboard" }],
});
