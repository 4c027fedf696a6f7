#!/usr/bin/env bash
# Makes the stores of this folder anew with the tools that users have: keytool of a JDK 17 and openssl 3. The keys are for
# tests and guard nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
rm -f ./*.jks ./*.p12 ./*.pem
days=36500
keytool=(keytool -J-Duser.language=en)

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days $days -subj "/CN=test ca" -keyout ca-key.pem -out ca.pem 2> /dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=client" -keyout key.pem -out client.csr 2> /dev/null
openssl x509 -req -in client.csr -CA ca.pem -CAkey ca-key.pem -days $days -set_serial 2 -out client.pem 2> /dev/null
cat client.pem ca.pem > chain.pem
openssl pkcs8 -topk8 -in key.pem -v2 aes-256-cbc -passout pass:key-pw -out key-aes256.pem
openssl pkcs8 -topk8 -in key.pem -v2 aes-128-cbc -v2prf hmacWithSHA512 -passout pass:key-pw -out key-sha512.pem
openssl pkcs8 -topk8 -in key.pem -v2 des3 -passout pass:key-pw -out key-3des.pem
openssl pkcs8 -topk8 -in key.pem -v1 PBE-SHA1-3DES -passout pass:key-pw -out key-pbes1.pem
openssl ec -in key.pem -aes256 -passout pass:key-pw -out key-old.pem 2> /dev/null

openssl pkcs12 -export -in client.pem -inkey key.pem -certfile ca.pem -name client -passout pass:store-pw -out openssl.p12
openssl pkcs12 -export -legacy -in client.pem -inkey key.pem -certfile ca.pem -name client -passout pass:store-pw -out legacy.p12
openssl pkcs12 -export -nokeys -in ca.pem -passout pass:store-pw -out unmarked.p12
for type in jks pkcs12; do
  ext=${type/pkcs12/p12}
  "${keytool[@]}" -importcert -noprompt -alias ca -file ca.pem -storetype $type -keystore trust.$ext -storepass store-pw 2> /dev/null
  "${keytool[@]}" -importkeystore -noprompt -srckeystore openssl.p12 -srcstorepass store-pw -deststoretype $type -destkeystore key.$ext -deststorepass store-pw 2> /dev/null
  # A trusted certificate that sorts before the key.
  "${keytool[@]}" -importcert -noprompt -alias aaa -file ca.pem -storetype $type -keystore key.$ext -storepass store-pw 2> /dev/null
done
"${keytool[@]}" -importkeystore -noprompt -srckeystore openssl.p12 -srcstorepass store-pw -srcalias client -srckeypass store-pw \
  -deststoretype jks -destkeystore key-pw.jks -deststorepass store-pw -destkeypass key-pw 2> /dev/null
cp key.p12 many.p12
cp openssl.p12 two.p12
for store in two many; do
  "${keytool[@]}" -genkeypair -alias second -keyalg RSA -keysize 2048 -dname CN=second -validity $days -keystore $store.p12 -storepass store-pw 2> /dev/null
done
rm -f client.csr ca-key.pem
chmod 644 ./*.pem ./*.p12 ./*.jks
