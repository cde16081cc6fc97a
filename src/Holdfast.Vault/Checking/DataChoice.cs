using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Holdfast.Log;
using Holdfast.Vault.Packing;

namespace Holdfast.Vault.Checking;

/// <summary>Decides which packs a check reads, and in which order.</summary>
internal sealed class DataChoice(IEntropy entropy, CheckRequest request, ChunkTable table, VerificationLog? log)
{
    public CheckedPack[] Choose()
    {
        if (request.Part is { } part) return [.. table.Packs.Where(pack => PartOf(pack.Id, part.Count) == part.Number)];
        CheckedPack[] packs = [.. table.Packs];
        if (log is not null) packs = [.. packs.OrderBy(pack => log.TimeOf(pack.Id)).ThenBy(static pack => pack.Id)];
        int count = Count(packs.Length);
        if (log is null && (count < packs.Length || request.MaxBytes is not null)) Draw(packs, request.MaxBytes is null ? count : packs.Length);
        if (request.MaxBytes is { } bytes) count = Math.Min(count, CountWithin(packs, bytes));
        // In the order in which they lie, where it does not matter which comes first.
        return log is null ? [.. packs.Take(count).OrderBy(static pack => pack.First)] : packs[..count];
    }

    /// <summary>The part that a pack is in, from 1: by its name alone, so that it stays there.</summary>
    public static int PartOf(PackId pack, int count)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.ASCII.GetBytes(pack.ObjectName), hash);
        return (int)(BinaryPrimitives.ReadUInt64BigEndian(hash) % (uint)count) + 1;
    }

    private int Count(int all) => request.Subset is { } fraction ? (int)Math.Ceiling(all * fraction) : all;

    private static int CountWithin(CheckedPack[] packs, long bytes)
    {
        int count = 0;
        for (long sum = 0; count < packs.Length && sum < bytes; count++) sum += packs[count].PackBytes;
        return count;
    }

    /// <summary>Puts so many packs to the front, of which each has the same chance to be among them.</summary>
    private void Draw(CheckedPack[] packs, int count)
    {
        for (int i = 0; i < count; i++)
        {
            int j = i + DrawBelow(packs.Length - i);
            (packs[i], packs[j]) = (packs[j], packs[i]);
        }
    }

    private int DrawBelow(int limit)
    {
        Span<byte> drawn = stackalloc byte[8];
        entropy.Fill(drawn);
        // The high part of a product of 64 bits: uneven by less than limit in 2⁶⁴.
        return (int)Math.BigMul(BitConverter.ToUInt64(drawn), (ulong)limit, out _);
    }
}
