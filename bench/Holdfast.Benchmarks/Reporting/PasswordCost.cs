using System.Buffers.Binary;

namespace Holdfast.Benchmarks.Reporting;

/// <summary>What deriving the key from the password takes, as a vault's key slot says (docs/formats/vault.md, "Keys").</summary>
internal sealed record PasswordCost(bool IsArgon2Id, ulong Passes, ulong MemoryBytes)
{
    private const int KdfOffset = 12;
    private const int PassesOffset = 16;
    private const int MemoryOffset = 24;

    public const ulong LeastPasses = 3;
    public const ulong LeastMemoryBytes = 64 << 20;

    public bool IsEnough => IsArgon2Id && Passes >= LeastPasses && MemoryBytes >= LeastMemoryBytes;

    public static PasswordCost Read(string repository)
    {
        ReadOnlySpan<byte> slot = File.ReadAllBytes(Directory.EnumerateFiles(Path.Combine(repository, "keys")).Single());
        return new PasswordCost(
            BinaryPrimitives.ReadUInt32LittleEndian(slot[KdfOffset..]) == 1,
            BinaryPrimitives.ReadUInt64LittleEndian(slot[PassesOffset..]),
            BinaryPrimitives.ReadUInt64LittleEndian(slot[MemoryOffset..]));
    }
}
