using Holdfast.Vault;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;

namespace Holdfast.Testing;

/// <summary>Fills a vault with packs that have all but their content: header, footer and signature are whole, what lies between is a hole.</summary>
/// <remarks>
/// Whatever does not touch data costs what it would cost in a vault of that size. The vault's newest point is given again, with
/// references that need most of each pack, and all of the packs but the last hundredth.
/// </remarks>
public sealed class HollowPacks(OpenVault vault, string repository, int seed)
{
    private const int ChunksPerPack = 400;
    private const int PacksPerIndex = (1 << 20) / ChunksPerPack;
    private const int ChunksPerGroup = 8;
    private const int ChunkBytes = 64 << 10;
    private const int GroupBytes = (ChunksPerGroup * ChunkBytes) + Aead.TagBytes;

    private readonly Random random = new(seed);

    /// <summary>Adds packs with so many chunks, and index objects that list them.</summary>
    /// <param name="chunks">How many; rounded down to whole packs.</param>
    /// <param name="tell">Told now and then how many there are.</param>
    public void Add(int chunks, Action<long> tell)
    {
        int packCount = chunks / ChunksPerPack;
        var session = SessionId.Create(vault.Host.Entropy);
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(new PackId(ObjectKind.DataPack, session, 0)))!);
        var references = new ReferenceSet();
        var listed = new List<PackFooter>(PacksPerIndex);
        uint indexes = 0;
        for (int i = 0; i < packCount; i++)
        {
            PackFooter footer = Write(new PackId(ObjectKind.DataPack, session, (uint)i));
            listed.Add(footer);
            if (i < packCount - (packCount / 100))
            {
                for (int ordinal = 0; ordinal < ChunksPerPack; ordinal++)
                {
                    if (ordinal % 50 != 0) references.Add(footer.Pack, ChunksPerPack, ordinal);
                }
            }

            if (listed.Count < PacksPerIndex && i + 1 < packCount) continue;
            string name = IndexObject.Name(session, indexes++);
            Put(name, IndexObject.Build(vault.Sealer, name, listed));
            listed.Clear();
            if (indexes % 8 == 0 || i + 1 == packCount) tell((i + 1) * (long)ChunksPerPack);
        }

        AddPoint(session, references);
    }

    private void AddPoint(SessionId id, ReferenceSet references)
    {
        RestorePoint first = RestorePoints.ListAsync(vault, CancellationToken.None).GetAwaiter().GetResult()[^1];
        ReferenceSet known = ReferenceSet.TryReadAsync(vault, first.References, CancellationToken.None).GetAwaiter().GetResult()!;
        foreach (PackId pack in known.Packs) references.AddAll(pack, known.ChunkCountOf(pack));
        Put(ReferenceSet.Name(id), vault.Sealer.Seal(ObjectKind.References, ReferenceSet.Name(id), references.Encode()));
        Put(PointCodec.Name(id), vault.Sealer.Seal(ObjectKind.Point, PointCodec.Name(id), PointCodec.Encode(first with { Id = id, References = id })));
    }

    private void Put(string name, byte[] content) => vault.Store.PutIfAbsentAsync(name, content, CancellationToken.None).GetAwaiter().GetResult();

    private string PathOf(PackId pack) => Path.Combine(repository, pack.ObjectName);

    private PackFooter Write(PackId id)
    {
        var groups = new List<PackGroup>();
        var chunks = new List<PackChunk>(ChunksPerPack);
        Span<byte> bytes = stackalloc byte[ChunkId.Size];
        for (int i = 0; i < ChunksPerPack; i++)
        {
            int group = i / ChunksPerGroup, inGroup = i % ChunksPerGroup;
            random.NextBytes(bytes);
            chunks.Add(new PackChunk(ChunkId.Decode(bytes), group, inGroup * ChunkBytes, ChunkBytes));
            if (inGroup > 0) continue;
            groups.Add(new PackGroup(
                PackFooter.BodyOffset + (group * GroupBytes), GroupBytes, ChunksPerGroup * ChunkBytes, i, ChunksPerGroup, GroupCoding.Raw, Key: 0, group));
        }

        ObjectHeader header = vault.Sealer.NewHeader(id.Kind);
        byte[] head = new byte[PackFooter.BodyOffset];
        header.Encode(head);
        int plainBytes = PackBody.EncodedBytes(0, groups.Count, chunks.Count), sealedBytes = plainBytes + Aead.TagBytes;
        byte[] tail = new byte[sealedBytes + Libsodium.SignatureBytes + PackFooter.EndBytes];
        ReadOnlySpan<byte> encodedHeader = head.AsSpan(0, ObjectHeader.Size), sealedKey = head.AsSpan(ObjectHeader.Size);
        Span<byte> plain = tail.AsSpan(0, plainBytes), sealedFooter = tail.AsSpan(0, sealedBytes);
        PackBody.Encode(plain, [], groups, chunks);
        using (Aead cipher = vault.Sealer.IndexCipher(header, id.ObjectName))
        {
            cipher.Seal(0, plain, sealedFooter, ObjectSealer.Associated(encodedHeader, id.ObjectName));
        }

        vault.Sealer.Sign(id.ObjectName, encodedHeader, sealedKey, sealedFooter, tail.AsSpan(sealedBytes, Libsodium.SignatureBytes));
        PackFooter.EncodeEnd(tail.AsSpan(tail.Length - PackFooter.EndBytes), (uint)sealedBytes, PackFooter.EndMagic);
        long end = PackFooter.BodyOffset + ((long)groups.Count * GroupBytes);
        using (var file = new FileStream(PathOf(id), FileMode.CreateNew))
        {
            file.Write(head);
            file.Seek(end, SeekOrigin.Begin);
            file.Write(tail);
        }

        return new PackFooter
        {
            Pack = id,
            WriterId = header.WriterId,
            Epoch = header.Epoch,
            Cipher = header.Cipher,
            KeyId = header.KeyId,
            SealedKey = sealedKey.ToArray(),
            PackBytes = (int)(end + tail.Length),
            FooterBytes = sealedBytes,
            Groups = [.. groups],
            Chunks = [.. chunks],
        };
    }
}
