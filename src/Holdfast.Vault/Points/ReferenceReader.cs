using Holdfast.Vault.Bytes;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Points;

/// <summary>Reads the body of a references object pack by pack, without memory of its own.</summary>
internal ref struct ReferenceReader
{
    // Kind, session, number, chunks, and whether it is whole.
    private const int LeastBytesOfPack = 1 + SessionId.Size + 4 + 4 + 1;

    private readonly uint count;
    private ByteReader reader;
    private uint next;

    /// <summary>Begins before the first pack.</summary>
    /// <param name="body">The opened object.</param>
    /// <param name="name">Its name, for what is damaged.</param>
    public ReferenceReader(ReadOnlySpan<byte> body, string name)
    {
        reader = new ByteReader(body, name);
        count = reader.U32();
        if (count > reader.Remaining / LeastBytesOfPack) throw reader.Damage($"{count} packs");
    }

    /// <summary>The pack: each is behind the one before.</summary>
    public PackId Pack { get; private set; }

    /// <summary>How many chunks it has.</summary>
    public int ChunkCount { get; private set; }

    /// <summary>Whether all of them are needed; else <see cref="Bitmap"/> tells which.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>Bit i % 8 of byte i / 8 for ordinal i; bits behind the last chunk say nothing.</summary>
    public ReadOnlySpan<byte> Bitmap { get; private set; }

    /// <summary>Which of its chunks are needed: bit i % 64 of word i / 64 for ordinal i.</summary>
    /// <param name="words">Room for as many bits as a pack may have chunks.</param>
    /// <returns>The words that the pack has.</returns>
    public ReadOnlySpan<ulong> CopyTo(Span<ulong> words)
    {
        Span<ulong> target = words[..((ChunkCount + 63) / 64)];
        target.Fill(IsWhole ? ulong.MaxValue : 0);
        for (int i = 0; i < Bitmap.Length; i++) target[i / 8] |= (ulong)Bitmap[i] << (8 * (i % 8));
        // What is written behind the last chunk says nothing.
        if (ChunkCount % 64 != 0) target[^1] &= (1UL << (ChunkCount % 64)) - 1;
        return target;
    }

    /// <summary>Goes to the next pack; false behind the last.</summary>
    /// <exception cref="DamageException">The body is not what it should be.</exception>
    public bool MoveNext()
    {
        if (next == count)
        {
            reader.ExpectEnd();
            return false;
        }

        var kind = (ObjectKind)reader.U8();
        var pack = new PackId(kind, SessionId.Decode(reader.Bytes(SessionId.Size)), reader.U32());
        uint chunks = reader.U32();
        bool isValid = kind is ObjectKind.DataPack or ObjectKind.TreePack && chunks <= PackFooter.MaxChunks;
        if (!isValid) throw reader.Damage($"pack {next}: kind {(byte)kind}, {chunks} chunks");
        if (next > 0 && Pack.CompareTo(pack) >= 0) throw reader.Damage($"pack {next}: out of order or twice");
        byte isWhole = reader.U8();
        if (isWhole > 1) throw reader.Damage($"pack {next}: {isWhole} where 0 or 1 is expected");
        Pack = pack;
        ChunkCount = (int)chunks;
        IsWhole = isWhole == 1;
        Bitmap = IsWhole ? [] : reader.Bytes((int)(chunks + 7) / 8);
        next++;
        return true;
    }
}
