using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Holdfast.Vault.Chunking;

/// <summary>Names many chunks at once: one in each lane, and the next as soon as a lane is done.</summary>
internal unsafe ref struct ChunkLanes<TLanes, T>
    where TLanes : ILanes<T>
    where T : unmanaged
{
    /// <summary>Within a group the longest chunks are taken first, so that the lanes end at about the same time.</summary>
    private const int GroupChunks = 256;

    /// <summary>Where all chunks are shorter, their order gains less than it costs.</summary>
    private const int ShortBytes = 4096;

    private const int BlockBytes = Sha256Lanes.BlockBytes;
    private const int TailBytes = 2 * BlockBytes;

    private readonly HmacStates key;
    private readonly int fewLanes;

    // Memory of HashEach, each on a cache line of its own: a vector that crosses one is loaded as two.
    private readonly T* state;
    private readonly T* schedule;
    private readonly byte* tails;
    private readonly byte** messages;
    private readonly Lane* lanes;
    private readonly Span<Chunk> room;

    // The group at work: its chunks, longest first, and how many of them were begun.
    private byte* content;
    private Span<ChunkId> ids;
    private Span<Chunk> chunks;
    private int begun;
    private int busyLanes;

    private ChunkLanes(HmacStates key, int fewLanes, byte* memory, Span<Chunk> room)
    {
        this.room = room;
        this.key = key;
        this.fewLanes = fewLanes;
        state = (T*)memory;
        schedule = state + Sha256Lanes.StateWords;
        tails = (byte*)(schedule + Sha256Lanes.ScheduleWords);
        messages = (byte**)(tails + (TLanes.Count * TailBytes));
        lanes = (Lane*)(messages + TLanes.Count);
    }

    /// <summary>What a lane hashes: the whole blocks of a chunk, its last bytes with the padding, or the hash of all that.</summary>
    private enum Stage
    {
        Idle,
        Blocks,
        Tail,
        Outer,
    }

    private static int MemoryBytes =>
        ((Sha256Lanes.StateWords + Sha256Lanes.ScheduleWords) * sizeof(T)) + (TLanes.Count * (TailBytes + sizeof(byte*) + sizeof(Lane)));

    /// <summary>Names consecutive chunks.</summary>
    /// <param name="key">What they are named under.</param>
    /// <param name="content">The chunks, one after the other.</param>
    /// <param name="lengths">Bytes of each chunk, together no more than the content has.</param>
    /// <param name="ids">Takes the id of each chunk.</param>
    /// <param name="fewLanes">
    /// So few busy lanes are slower than one chunk after the other: when no more are left to do, their rest is done that way.
    /// </param>
    [SkipLocalsInit]
    public static void HashEach(
        HmacStates key, ReadOnlySpan<byte> content, ReadOnlySpan<int> lengths, Span<ChunkId> ids, int fewLanes)
    {
        byte* memory = stackalloc byte[MemoryBytes + BlockBytes - 1];
        memory = (byte*)(((nuint)memory + BlockBytes - 1) & ~(nuint)(BlockBytes - 1));
        Span<Chunk> room = stackalloc Chunk[Math.Min(GroupChunks, lengths.Length)];
        var lanes = new ChunkLanes<TLanes, T>(key, fewLanes, memory, room);
        fixed (byte* first = content)
        {
            lanes.content = first;
            for (int done = 0; done < lengths.Length; done += lanes.chunks.Length)
            {
                lanes.ids = ids[done..];
                lanes.HashGroup(lengths.Slice(done, Math.Min(room.Length, lengths.Length - done)));
            }
        }
    }

    private void HashGroup(ReadOnlySpan<int> lengths)
    {
        chunks = room[..lengths.Length];
        int longest = 0;
        for (int i = 0; i < lengths.Length; i++)
        {
            chunks[i] = new Chunk(content, lengths[i], i);
            content += lengths[i];
            longest = Math.Max(longest, lengths[i]);
        }

        if (longest > ShortBytes) chunks.Sort(static (left, right) => right.Length.CompareTo(left.Length));
        begun = 0;
        busyLanes = 0;
        for (int lane = 0; lane < TLanes.Count; lane++) Begin(lane);
        while (busyLanes > 0)
        {
            if (begun == chunks.Length && busyLanes <= fewLanes) FinishAlone();
            if (busyLanes > 0) Step();
        }
    }

    /// <summary>Hashes as many blocks as all busy lanes have.</summary>
    private void Step()
    {
        int blocks = int.MaxValue;
        byte* message = null;
        for (int lane = 0; lane < TLanes.Count; lane++)
        {
            if (lanes[lane].Stage == Stage.Idle || lanes[lane].Blocks >= blocks) continue;
            blocks = lanes[lane].Blocks;
            message = messages[lane];
        }

        for (int lane = 0; lane < TLanes.Count; lane++)
        {
            // An idle lane hashes what another does, for nothing.
            if (lanes[lane].Stage == Stage.Idle) messages[lane] = message;
        }

        Sha256Lanes.Compress<TLanes, T>(state, messages, blocks, schedule);
        for (int lane = 0; lane < TLanes.Count; lane++)
        {
            if (lanes[lane].Stage == Stage.Idle) continue;
            messages[lane] += blocks * BlockBytes;
            lanes[lane].Blocks -= blocks;
            if (lanes[lane].Blocks == 0) Advance(lane);
        }
    }

    /// <summary>Takes up the next chunk, if there is one.</summary>
    private void Begin(int lane)
    {
        lanes[lane].Stage = Stage.Idle;
        if (begun == chunks.Length) return;
        lanes[lane].Chunk = chunks[begun++];
        busyLanes++;
        int blocks = lanes[lane].Chunk.Length / BlockBytes;
        SetState(lane, key.Inner);
        Go(lane, Stage.Blocks, lanes[lane].Chunk.Start, blocks);
        if (blocks == 0) Advance(lane);
    }

    private void Advance(int lane)
    {
        byte* tail = tails + (lane * TailBytes);
        switch (lanes[lane].Stage)
        {
            case Stage.Blocks:
                Go(lane, Stage.Tail, tail, WriteTail(tail, lanes[lane].Chunk));
                break;
            case Stage.Tail:
                WriteOuter(tail, lane);
                SetState(lane, key.Outer);
                Go(lane, Stage.Outer, tail, 1);
                break;
            default:
                ids[lanes[lane].Chunk.Index] = Id(lane);
                busyLanes--;
                Begin(lane);
                break;
        }
    }

    /// <summary>Finishes the chunks that have whole blocks left; the others end within three blocks anyway.</summary>
    [SkipLocalsInit]
    private void FinishAlone()
    {
        uint* words = stackalloc uint[Sha256Lanes.StateWords];
        for (int lane = 0; lane < TLanes.Count; lane++)
        {
            if (lanes[lane].Stage != Stage.Blocks) continue;
            for (int i = 0; i < Sha256Lanes.StateWords; i++) words[i] = Word(lane, i);
            ref Chunk chunk = ref lanes[lane].Chunk;
            int hashed = (int)(messages[lane] - chunk.Start);
            ids[chunk.Index] = key.Finish(words, BlockBytes + hashed, messages[lane], chunk.Length - hashed);
            lanes[lane].Stage = Stage.Idle;
            busyLanes--;
        }
    }

    private readonly void Go(int lane, Stage stage, byte* message, int blocks)
    {
        lanes[lane].Stage = stage;
        lanes[lane].Blocks = blocks;
        messages[lane] = message;
    }

    private readonly ref uint Word(int lane, int word) => ref ((uint*)state)[(word * TLanes.Count) + lane];

    private readonly void SetState(int lane, ReadOnlySpan<uint> words)
    {
        for (int i = 0; i < Sha256Lanes.StateWords; i++) Word(lane, i) = words[i];
    }

    private readonly ChunkId Id(int lane) => new(
        ((ulong)Word(lane, 0) << 32) | Word(lane, 1),
        ((ulong)Word(lane, 2) << 32) | Word(lane, 3),
        ((ulong)Word(lane, 4) << 32) | Word(lane, 5),
        ((ulong)Word(lane, 6) << 32) | Word(lane, 7));

    /// <summary>The bytes behind the whole blocks, and the padding (FIPS 180-4, 5.1.1); returns the number of blocks.</summary>
    private static int WriteTail(byte* tail, in Chunk chunk)
    {
        int rest = chunk.Length % BlockBytes;
        int bytes = rest + 1 + sizeof(ulong) <= BlockBytes ? BlockBytes : TailBytes;
        new ReadOnlySpan<byte>(chunk.Start + chunk.Length - rest, rest).CopyTo(new Span<byte>(tail, rest));
        Pad(new Span<byte>(tail, bytes), rest, BlockBytes + (long)chunk.Length);
        return bytes / BlockBytes;
    }

    /// <summary>The block of the outer hash: the inner one and the padding.</summary>
    private readonly void WriteOuter(byte* tail, int lane)
    {
        var block = new Span<byte>(tail, BlockBytes);
        Id(lane).Encode(block);
        Pad(block, ChunkId.Size, BlockBytes + ChunkId.Size);
    }

    private static void Pad(Span<byte> blocks, int used, long hashedBytes)
    {
        blocks[used..].Clear();
        blocks[used] = 0x80;
        BinaryPrimitives.WriteInt64BigEndian(blocks[^sizeof(long)..], hashedBytes << 3);
    }

    /// <summary>A chunk of the group, by its place in it.</summary>
    private readonly struct Chunk(byte* start, int length, int index)
    {
        public readonly byte* Start = start;
        public readonly int Length = length;
        public readonly int Index = index;
    }

    private struct Lane
    {
        public Chunk Chunk;
        public int Blocks;
        public Stage Stage;
    }
}
