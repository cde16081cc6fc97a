using System.Security.Cryptography;
using Holdfast.Testing;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Tests;

/// <summary>Keys from a seed, and content that is the same everywhere.</summary>
internal static class TestKeys
{
    private static readonly Lazy<byte[]> SlotOfNothing = new(static () =>
    {
        using VaultSecret secret = VaultFixture.Secret("of nothing");
        return KeySlot.Seal(Ring(), secret, new byte[VaultDescriptor.IdBytes], "none", PasswordKey.DefaultPasses, new SimulatedEntropy(9));
    });

    public static KeyRing Ring(int seed = 1) =>
        KeyRing.CreateAdmin(new SimulatedEntropy(seed), SimulatedClock.DefaultStart, "test");

    public static ObjectSealer Sealer(int seed = 1) => new(Ring(seed), new SimulatedEntropy(seed + 1000));

    /// <summary>A key slot that looks like one, and opens in no vault.</summary>
    public static byte[] Slot() => SlotOfNothing.Value;

    /// <summary>SHA-256 of 0, 1, 2 … as 64-bit little-endian numbers, one after the other.</summary>
    public static byte[] Content(int bytes)
    {
        byte[] content = new byte[bytes];
        Span<byte> counter = stackalloc byte[8];
        for (int i = 0; i * 32 < bytes; i++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(counter, i);
            byte[] hash = SHA256.HashData(counter);
            hash.AsSpan(0, Math.Min(32, bytes - (i * 32))).CopyTo(content.AsSpan(i * 32));
        }

        return content;
    }

    public static byte[] Random(Random random, int bytes)
    {
        byte[] content = new byte[bytes];
        random.NextBytes(content);
        return content;
    }

    public static ChunkId RandomId(Random random) => ChunkId.Decode(Random(random, ChunkId.Size));

    /// <summary>Changes, removes or adds bytes at one to four places.</summary>
    public static byte[] Mutate(Random random, byte[] source)
    {
        var bytes = new List<byte>(source);
        for (int n = random.Next(1, 5); n > 0; n--)
        {
            int at = random.Next(bytes.Count + 1);
            switch (random.Next(5))
            {
                case 0 when at < bytes.Count:
                    bytes.RemoveRange(at, random.Next(1, Math.Min(16, bytes.Count - at) + 1));
                    break;
                case 1:
                    bytes.InsertRange(at, Random(random, random.Next(1, 16)));
                    break;
                case 2 when at < bytes.Count:
                    // Lengths and counts grow absurd most easily this way.
                    for (int i = at; i < Math.Min(at + 9, bytes.Count); i++) bytes[i] = 0xFF;
                    break;
                case 3 when at < bytes.Count:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                default:
                    if (at < bytes.Count) bytes[at] = (byte)random.Next(256);
                    break;
            }
        }

        return [.. bytes];
    }
}
