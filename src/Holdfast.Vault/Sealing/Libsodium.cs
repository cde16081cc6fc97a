using System.Runtime.InteropServices;
using Holdfast.Log;

namespace Holdfast.Vault.Sealing;

/// <summary>What we use of the system's libsodium: Argon2id, sealed boxes (X25519) and signatures (Ed25519).</summary>
internal static unsafe partial class Libsodium
{
    public const int PublicKeyBytes = 32;
    public const int SealOverheadBytes = 48;
    public const int SignatureBytes = 64;
    public const int SeedBytes = 32;
    private const int SignPrivateKeyBytes = 64;
    private const int Argon2IdVersion13 = 2;

    static Libsodium()
    {
        if (sodium_init() < 0) throw new HoldfastException(ErrorKind.Failed, "libsodium: could not be initialised");
    }

    /// <summary>Argon2id, one lane. False when the memory could not be had.</summary>
    public static bool TryArgon2Id(
        ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, ulong passes, ulong memoryBytes, Span<byte> key)
    {
        fixed (byte* passwordPointer = password, saltPointer = salt, keyPointer = key)
        {
            return crypto_pwhash(
                keyPointer, (ulong)key.Length, passwordPointer, (ulong)password.Length, saltPointer, passes, (nuint)memoryBytes,
                Argon2IdVersion13) == 0;
        }
    }

    /// <summary>The X25519 public half of a private key.</summary>
    public static byte[] BoxPublicKey(ReadOnlySpan<byte> privateKey)
    {
        byte[] publicKey = new byte[PublicKeyBytes];
        fixed (byte* privatePointer = privateKey, publicPointer = publicKey)
        {
            Check(crypto_scalarmult_base(publicPointer, privatePointer), nameof(crypto_scalarmult_base));
        }

        return publicKey;
    }

    /// <summary>Seals a message to a public key; the sender needs no key.</summary>
    public static void BoxSeal(ReadOnlySpan<byte> message, ReadOnlySpan<byte> publicKey, Span<byte> target)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(target.Length, message.Length + SealOverheadBytes);
        fixed (byte* messagePointer = message, keyPointer = publicKey, targetPointer = target)
        {
            Check(crypto_box_seal(targetPointer, messagePointer, (ulong)message.Length, keyPointer), nameof(crypto_box_seal));
        }
    }

    /// <summary>Opens what was sealed to a public key; false when it was altered or meant for another.</summary>
    public static bool TryBoxOpen(
        ReadOnlySpan<byte> box, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> privateKey, Span<byte> target)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(target.Length, box.Length - SealOverheadBytes);
        fixed (byte* boxPointer = box, publicPointer = publicKey, privatePointer = privateKey, targetPointer = target)
        {
            return crypto_box_seal_open(targetPointer, boxPointer, (ulong)box.Length, publicPointer, privatePointer) == 0;
        }
    }

    /// <summary>The Ed25519 public key of a seed.</summary>
    public static byte[] SignPublicKey(ReadOnlySpan<byte> seed)
    {
        byte[] publicKey = new byte[PublicKeyBytes];
        byte* privateKey = stackalloc byte[SignPrivateKeyBytes];
        fixed (byte* seedPointer = seed, publicPointer = publicKey)
        {
            Check(crypto_sign_seed_keypair(publicPointer, privateKey, seedPointer), nameof(crypto_sign_seed_keypair));
        }

        new Span<byte>(privateKey, SignPrivateKeyBytes).Clear();
        return publicKey;
    }

    /// <summary>Signs a message (Ed25519, detached).</summary>
    public static void Sign(ReadOnlySpan<byte> message, ReadOnlySpan<byte> seed, Span<byte> signature)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(signature.Length, SignatureBytes);
        byte* publicKey = stackalloc byte[PublicKeyBytes];
        byte* privateKey = stackalloc byte[SignPrivateKeyBytes];
        fixed (byte* messagePointer = message, seedPointer = seed, signaturePointer = signature)
        {
            Check(crypto_sign_seed_keypair(publicKey, privateKey, seedPointer), nameof(crypto_sign_seed_keypair));
            Check(
                crypto_sign_detached(signaturePointer, null, messagePointer, (ulong)message.Length, privateKey),
                nameof(crypto_sign_detached));
        }

        new Span<byte>(privateKey, SignPrivateKeyBytes).Clear();
    }

    /// <summary>Whether a signature is the key's over the message.</summary>
    public static bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != SignatureBytes || publicKey.Length != PublicKeyBytes) return false;
        fixed (byte* messagePointer = message, keyPointer = publicKey, signaturePointer = signature)
        {
            return crypto_sign_verify_detached(signaturePointer, messagePointer, (ulong)message.Length, keyPointer) == 0;
        }
    }

    private static void Check(int result, string call)
    {
        if (result != 0) throw new InvalidOperationException($"libsodium: {call} failed");
    }

    [LibraryImport("libsodium.so.23")]
    private static partial int sodium_init();

    [LibraryImport("libsodium.so.23")]
    private static partial int crypto_pwhash(
        byte* output, ulong outputLength, byte* password, ulong passwordLength, byte* salt, ulong passes, nuint memory, int algorithm);

    [LibraryImport("libsodium.so.23")]
    private static partial int crypto_scalarmult_base(byte* publicKey, byte* privateKey);

    [LibraryImport("libsodium.so.23")]
    private static partial int crypto_box_seal(byte* target, byte* message, ulong length, byte* publicKey);

    [LibraryImport("libsodium.so.23")]
    private static partial int crypto_box_seal_open(byte* target, byte* box, ulong length, byte* publicKey, byte* privateKey);

    [LibraryImport("libsodium.so.23")]
    private static partial int crypto_sign_seed_keypair(byte* publicKey, byte* privateKey, byte* seed);

    [LibraryImport("libsodium.so.23")]
    private static partial int crypto_sign_detached(byte* signature, ulong* signatureLength, byte* message, ulong length, byte* privateKey);

    [LibraryImport("libsodium.so.23")]
    private static partial int crypto_sign_verify_detached(byte* signature, byte* message, ulong length, byte* publicKey);
}
