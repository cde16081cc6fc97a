using System.Buffers.Binary;
using Holdfast.Log;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Keys;

/// <summary>How a key is derived from a password: 36 bytes in the header of what is sealed under it. Layout: docs/formats/vault.md, "Keys".</summary>
internal static class PasswordKey
{
    /// <summary>Encoded size in bytes.</summary>
    public const int Size = 36;

    private const uint Argon2Id = 1;
    public const ulong DefaultPasses = 3;
    private const ulong DefaultMemoryBytes = 64 << 20;
    private const ulong MaxPasses = 64;
    private const ulong MaxMemoryBytes = 1UL << 30;

    // Bytes of memory times passes: some seconds.
    private const ulong MaxWork = 8UL << 30;
    private const int PassesOffset = 4;
    private const int MemoryOffset = 12;
    private const int SaltOffset = 20;
    private const int SaltBytes = 16;

    /// <summary>
    /// How many passes this machine can afford: at least three, more where three take less than 100 ms, so that guessing
    /// stays dear on fast machines.
    /// </summary>
    public static ulong CalibratePasses(TimeProvider clock)
    {
        Span<byte> key = stackalloc byte[Aead.KeyBytes];
        Span<byte> salt = stackalloc byte[SaltBytes];
        salt.Clear();
        long start = clock.GetTimestamp();
        if (!Libsodium.TryArgon2Id("calibration"u8, salt, DefaultPasses, DefaultMemoryBytes, key)) return DefaultPasses;
        double milliseconds = Math.Max(1, clock.GetElapsedTime(start).TotalMilliseconds);
        return Math.Clamp((ulong)(DefaultPasses * 100 / milliseconds), DefaultPasses, MaxPasses);
    }

    /// <summary>Writes the parameters with a salt of their own.</summary>
    public static void Encode(Span<byte> target, ulong passes, IEntropy entropy)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, Argon2Id);
        BinaryPrimitives.WriteUInt64LittleEndian(target[PassesOffset..], passes);
        BinaryPrimitives.WriteUInt64LittleEndian(target[MemoryOffset..], DefaultMemoryBytes);
        entropy.Fill(target.Slice(SaltOffset, SaltBytes));
    }

    /// <summary>Derives the key that encoded parameters describe; the caller clears it.</summary>
    /// <param name="secret">The password.</param>
    /// <param name="parameters">What <see cref="Encode"/> wrote; taken to be hostile.</param>
    /// <param name="thing">What they belong to, for messages.</param>
    public static byte[] Derive(VaultSecret secret, ReadOnlySpan<byte> parameters, string thing)
    {
        (ulong passes, ulong memory) = ThrowIfAbsurd(parameters, thing);
        byte[] key = new byte[Aead.KeyBytes];
        if (!Libsodium.TryArgon2Id(secret.Password, parameters.Slice(SaltOffset, SaltBytes), passes, memory, key))
        {
            throw new HoldfastException(ErrorKind.Failed, $"key derivation needs {memory >> 20} MiB of memory, which cannot be had", "free some memory");
        }

        return key;
    }

    /// <summary>Throws unless a key can be derived by the parameters: all that can be said without the password.</summary>
    /// <returns>What the derivation costs.</returns>
    public static (ulong Passes, ulong MemoryBytes) ThrowIfAbsurd(ReadOnlySpan<byte> parameters, string thing)
    {
        uint method = BinaryPrimitives.ReadUInt32LittleEndian(parameters);
        ulong passes = BinaryPrimitives.ReadUInt64LittleEndian(parameters[PassesOffset..]);
        ulong memory = BinaryPrimitives.ReadUInt64LittleEndian(parameters[MemoryOffset..]);
        if (method != Argon2Id)
        {
            throw new HoldfastException(ErrorKind.Failed, $"{thing}: key derivation {method}, this program knows {Argon2Id}", "use a newer holdfast");
        }

        // Hostile parameters must neither weaken the derivation nor take all memory or time.
        if (passes is < DefaultPasses or > MaxPasses || memory is < DefaultMemoryBytes or > MaxMemoryBytes || passes * memory > MaxWork)
        {
            throw new DamageException(thing, $"absurd key derivation: {passes} passes over {memory} bytes");
        }

        return (passes, memory);
    }
}
