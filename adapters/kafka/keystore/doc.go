// Package keystore reads the stores that a Java client takes its certificates and keys from: JKS, PKCS #12, and PEM with
// plain or encrypted PKCS #8 keys. Its main function is [Parse]; what a file is, its content tells.
//
// It imports the standard library and a reader of PKCS #12. JKS and encrypted PKCS #8 it reads itself: both are a dozen
// fields, and the readers that exist trust lengths as they stand in the file, panic on odd ones, or leave out what Java
// allows (a store without a password, newer digests). It opens no file and speaks to nobody.
package keystore
